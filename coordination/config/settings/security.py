"""What keeps strangers out and hostile content harmless?"""

import os
import secrets
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from coordination.config.settings.environment import PLAIN_HTTP, PROCESS, BadSetting, flag, number, secret, words

ALLOWED_HOSTS = words("MUSTER_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
if "*" in ALLOWED_HOSTS:
    raise BadSetting("MUSTER_HOSTS must name the hosts; * is not allowed")
# the origins a browser may send from: scheme, host and port, exactly
ORIGINS = words("MUSTER_ORIGINS", default=[])
CSRF_TRUSTED_ORIGINS = ORIGINS

SECRET_KEY = secret("MUSTER_SECRET_KEY")  # or MUSTER_SECRET_KEY_FILE
if not SECRET_KEY:
    if PROCESS in {"web", "worker", "engine", "beat"}:
        raise BadSetting("MUSTER_SECRET_KEY is not set")
    SECRET_KEY = secrets.token_urlsafe(64)  # commands and tests: good for one process
SECRET_KEY_FALLBACKS = words("MUSTER_SECRET_KEY_FALLBACKS", default=[])

MIDDLEWARE = [
    "coordination.config.middleware.request_id.RequestIdMiddleware",
    "coordination.config.middleware.counting.CountingMiddleware",
    "coordination.config.middleware.guard.GuardMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "coordination.config.middleware.policy.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "coordination.config.middleware.person.PersonMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "coordination.config.middleware.actor.ActorMiddleware",
    "axes.middleware.AxesMiddleware",
    "coordination.config.middleware.failures.FailureMiddleware",
]

# Plain http exists on loopback only; there the __Host- names and Secure would keep every cookie away.
SECURE = not PLAIN_HTTP
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_SAVE_EVERY_REQUEST = False  # polling is no activity
# what a page says once, a new system's secret too: a cookie would keep it readable in the browser, after sign-out too
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True  # the page carries the token itself
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "coordination.config.pages.csrf_failure"
LANGUAGE_COOKIE_NAME = "__Host-language" if SECURE else "language"
LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

SECURE_SSL_REDIRECT = SECURE and flag("MUSTER_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = int(number("MUSTER_HSTS_SECONDS", default=31_536_000)) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if flag("MUSTER_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_basemap = words("MUSTER_BASEMAP_HOSTS", default=[])
_sockets = [origin.replace("https://", "wss://").replace("http://", "ws://") for origin in ORIGINS]
# where the form "sign in with …" may lead: the identity provider's origin, or those named
_issuer = urlsplit(os.environ.get("MUSTER_OIDC_ISSUER", ""))
_provider = words("MUSTER_OIDC_ORIGINS", default=[f"{_issuer.scheme}://{_issuer.netloc}"] if _issuer.netloc else [])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "media-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF, *_provider],
        "img-src": [SELF, "data:", "blob:", *_basemap],
        "connect-src": [SELF, *_sockets],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
