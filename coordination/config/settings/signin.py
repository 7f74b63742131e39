"""How does a person or another system prove who it is?"""

import os
from datetime import timedelta

from coordination.config.settings.environment import PLAIN_HTTP, BadSetting, flag, provider_address, secret, words

AUTH_USER_MODEL = "accounts.Person"

# Every member of staff needs a second factor; the demo city alone goes without, so that its list of sign-ins suffices.
MUSTER_REQUIRE_MFA = flag("MUSTER_REQUIRE_MFA", default=True)
# The demo city: its page lets anybody in it steer the story.
MUSTER_DEMO = flag("MUSTER_DEMO", default=False)
# The clock of all processes follows a row: a demo city's tests alone may move it.
MUSTER_MOVABLE_CLOCK = flag("MUSTER_MOVABLE_CLOCK", default=False)
MUSTER_SESSION_IDLE = timedelta(minutes=60)

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "coordination.config.hashers.RandomSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.passwords.ContextWords"},
]
MUSTER_PASSWORD_WORDS = words("MUSTER_PASSWORD_WORDS", default=[])  # words of this city that no password may rest on
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "desk"
LOGOUT_REDIRECT_URL = "sign-in"

ACCOUNT_ADAPTER = "allauth.account.adapter.DefaultAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if PLAIN_HTTP else "https"
MFA_ADAPTER = "accounts.mfa.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Muster"
MFA_TOTP_TOLERANCE = 1

# The city's own identity provider (OpenID Connect); off unless an issuer is named. People are matched by an explicit
# mapping (`manage.py link_identity`), and the second factor is asked for here all the same.
MUSTER_OIDC_ISSUER = os.environ.get("MUSTER_OIDC_ISSUER", "")
MUSTER_OIDC_NAME = os.environ.get("MUSTER_OIDC_NAME", "") or "OpenID Connect"
MUSTER_OIDC_CA_FILE = os.environ.get("MUSTER_OIDC_CA_FILE", "")  # an intranet's own CA; else the public ones
if MUSTER_OIDC_CA_FILE and not os.access(MUSTER_OIDC_CA_FILE, os.R_OK):
    raise BadSetting("MUSTER_OIDC_CA_FILE names a file that cannot be read")
_client = os.environ.get("MUSTER_OIDC_CLIENT_ID", "")
_secret = secret("MUSTER_OIDC_SECRET")  # or MUSTER_OIDC_SECRET_FILE
if MUSTER_OIDC_ISSUER and not (_client and _secret):
    raise BadSetting("MUSTER_OIDC_ISSUER needs MUSTER_OIDC_CLIENT_ID and MUSTER_OIDC_SECRET_FILE")
if MUSTER_OIDC_ISSUER and not provider_address(MUSTER_OIDC_ISSUER, plain=PLAIN_HTTP):
    raise BadSetting("MUSTER_OIDC_ISSUER must begin with https:// (http:// on loopback alone) and hold no ? or #")
SOCIALACCOUNT_ADAPTER = "accounts.identity.Adapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "identity",
                "name": MUSTER_OIDC_NAME,
                "client_id": _client,
                "secret": _secret,
                "settings": {"server_url": MUSTER_OIDC_ISSUER.rstrip("/"), "fetch_userinfo": False},
            }
        ],
    }
}

# A lock binds a name to an address: never the address alone (a control room shares one), never an open session.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(hours=24)  # when tries are forgotten; how long a name waits says accounts.lockout
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_SENSITIVE_PARAMETERS = ["code", "csrfmiddlewaretoken"]
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "accounts.lockout.LadderHandler"
AXES_ENABLE_ADMIN = False
AXES_HTTP_RESPONSE_CODE = 429
AXES_VERBOSE = False
AXES_IPWARE_PROXY_COUNT = 0

GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None

# Other systems: client credentials and nothing else.
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "CLIENT_SECRET_HASHER": "random_sha256",
    "SCOPES": {"read": "Read what the department may see", "write": "Act for the department"},
    "DEFAULT_SCOPES": ["read"],
    # what a client may ask for stands with the client
    "SCOPES_BACKEND_CLASS": "sharing.access.rest.tokens.ClientScopes",
    "PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth2_provider.AccessToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth2_provider.RefreshToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth2_provider.IDToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_GRANT_MODEL = "oauth2_provider.Grant"
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oauth2_provider.DeviceGrant"
