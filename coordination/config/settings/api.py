"""How does the REST API read and answer?"""

from coordination.config.settings.environment import number

# what one operation takes and gives is set in sharing.access.rest.resource; here stands what holds for a stray view
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sharing.access.rest.problems.handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": False,
    "STRICT_JSON": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# requests a minute of one caller; acknowledge and feedback ("loop") are counted apart, so that reading never stops them
MUSTER_API_LIMITS = {
    "read": int(number("MUSTER_API_READS", default=600)),
    "write": int(number("MUSTER_API_WRITES", default=120)),
    "loop": int(number("MUSTER_API_LOOP", default=600)),
    "sign_in": int(number("MUSTER_API_SIGN_INS", default=300)),
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Muster",
    "DESCRIPTION": (
        "Interagency emergency coordination: departments, incidents, instructions from draft to closed, notices, "
        "streams.\n\n"
        "People sign in at POST /api/v1/session and send the CSRF token it gives as X-CSRFToken with every change "
        "(over TLS also an Origin header: the address of this system); "
        "other systems get a token of ten minutes at POST /api/v1/oauth/token (client credentials).\n"
        "Every POST carries a new Idempotency-Key; changes that decide carry If-Match with the ETag of what was "
        "read. Every instruction and assignment says in allowed_actions what may be done with it now, where and with "
        "which fields.\n"
        "What may not be seen answers exactly like what does not exist. Refusals are problem documents (RFC 9457) "
        "with a stable code."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # enumerations stay where they are used (no invented names); refusals and common parameters are said once
    "POSTPROCESSING_HOOKS": ["sharing.access.rest.schema.share"],
    "SERVERS": [{"url": "/"}],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "session",
                "description": "Set by POST /api/v1/session; over TLS its name is __Host-session.",
            },
            "csrf": {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRFToken",
                "description": "csrf_token of POST or GET /api/v1/session.",
            },
            "oauth2": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "/api/v1/oauth/token",
                        "scopes": {"read": "Read what the department may see", "write": "Act for the department"},
                    }
                },
            },
        }
    },
}
