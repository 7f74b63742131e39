"""Which rooms are there, and in which languages do they speak?"""

from django.utils.translation import gettext_lazy as _

from coordination.config.settings.environment import BASE_DIR as BASE_DIR
from coordination.config.settings.environment import flag

DEBUG = flag("MUSTER_DEBUG", default=False)

# from the top storey down
ROOMS = [
    "coordination.config",
    "coordination.screens",
    "coordination.instructions",
    "incidents",
    "sharing.catalogue",
    "sharing.exchange",
    "coordination.deadlines",
    "coordination.live",
    "coordination.notify",
    "sharing.access",
    "accounts",
    "coordination.events",
]

INSTALLED_APPS = [
    *ROOMS,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "guardian",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
]

ROOT_URLCONF = "coordination.config.urls"
WSGI_APPLICATION = "coordination.config.wsgi.application"
ASGI_APPLICATION = "coordination.config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"  # how times are shown; the database keeps UTC

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["sharing.access.templatetags.opened_for"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coordination.screens.context.frame",
            ],
        },
    }
]

FORM_RENDERER = "sharing.access.widgets.Widgets"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]  # ours alone
