"""The REST surfaces: what the kit takes by dotted path, so that it needs no domain."""

from typing import Any

from corsheaders.defaults import default_headers

from config.env import environment

env = environment()

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["apps.surfaces.kit.permissions.Denied"],
    "DEFAULT_RENDERER_CLASSES": ["apps.surfaces.kit.rendering.JSON"],
    "DEFAULT_PARSER_CLASSES": ["apps.surfaces.kit.parsing.StrictJSON"],
    "DEFAULT_SCHEMA_CLASS": "apps.surfaces.kit.schema.SurfaceSchema",
    "EXCEPTION_HANDLER": "apps.surfaces.kit.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": None,
}

# The contracts that are served; an unknown path is answered by the one with the longest matching prefix.
SURFACES = [
    "apps.surfaces.platform.SURFACE",
    "apps.surfaces.service.SURFACE",
    "apps.surfaces.ofrep.SURFACE",
    "apps.surfaces.automation.SURFACE",
    "apps.surfaces.console.SURFACE",
    "apps.surfaces.control.SURFACE",
]
# The URL table of each, for OpenAPI.
SURFACE_DOORS = {
    "platform": "config.urls.platform",
    "service": "config.urls.service",
    "ofrep": "config.urls.ofrep",
    "automation": "config.urls.automation",
    "console": "config.urls.console",
    "control": "config.urls.control",
}
# Nile's before the tokens': they hand on what can't be theirs, and the tokens' refuses whatever it can't read.
_STAFF = [
    "apps.users.api.authentication.StaffSession",
    "apps.identity.api.nile.NileCookie",
    "apps.identity.api.nile.NileBearer",
    "apps.identity.api.authentication.StaffToken",
]
SURFACE_AUTHENTICATORS = {
    "platform": _STAFF,
    "service": ["apps.surfaces.internal.InternalNetwork", "apps.identity.api.authentication.RememberedToken"],
    "ofrep": ["apps.identity.api.authentication.RememberedToken"],
    "automation": ["apps.surfaces.keys.AdminKey"],
    "console": _STAFF,
    "control": ["apps.identity.api.authentication.PlatformToken"],
}
# Checks of a surface between permission and throttle (apps.surfaces.kit.steps).
SURFACE_STEPS: dict[str, list[str]] = {
    "control": [
        "apps.surfaces.headers.strip",
        "apps.surfaces.headers.check_correlation_id",
        "apps.surfaces.headers.check_api_version",
        "apps.surfaces.headers.check_content_type",
        "apps.surfaces.headers.check_strictly",
    ],
}
# The former addresses of the service surface (apps.surfaces.compatibility).
COMPATIBILITY_STAGE = env.COMPATIBILITY_STAGE
COMPATIBILITY_DEPRECATED = env.COMPATIBILITY_DEPRECATED.isoformat()
COMPATIBILITY_SUNSET = env.COMPATIBILITY_SUNSET.isoformat()
# Control: a mutation without Idempotency-Key, or a request without X-Correlation-Id, is refused.
CONTROL_STRICT_HEADERS = env.CONTROL_STRICT_HEADERS
# Requests a minute for each caller, by scope.
SURFACE_RATE_LIMITS = {
    "platform": env.RATE_LIMIT_PLATFORM,
    "platform.search": env.RATE_LIMIT_PLATFORM_SEARCH,
    "service": env.RATE_LIMIT_SERVICE,
    "service.write": env.RATE_LIMIT_SERVICE_WRITE,
    "service.internal": env.RATE_LIMIT_SERVICE_INTERNAL,
    "ofrep": env.RATE_LIMIT_OFREP,
    "automation": env.RATE_LIMIT_AUTOMATION,
    "console": env.RATE_LIMIT_CONSOLE,
    "control": env.RATE_LIMIT_CONTROL,
    "control.auth": env.RATE_LIMIT_CONTROL_AUTH,
    "control.events": env.RATE_LIMIT_CONTROL_EVENTS,
}
# How many more go through in a rush, where the minute before left as many unused.
SURFACE_RATE_BURSTS = {
    "control": env.RATE_BURST_CONTROL,
    "control.auth": env.RATE_BURST_CONTROL_AUTH,
    "control.events": env.RATE_BURST_CONTROL_EVENTS,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "SERVE_INCLUDE_SCHEMA": False,
    # `check --deploy` would put all surfaces into one document; export_openapi makes and validates each by itself.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "OAS_VERSION": "3.1.0",
    # Enumerations stay where they stand: names for them would be guessed.
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
}

# Scripts of the listed origins (CORS_ALLOWED_ORIGINS) may call the surfaces, and nothing else of ours.
CORS_URLS_REGEX = r"^/(api|v1|ofrep)/"
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-api-version",
    "x-correlation-id",
    "x-reauth-token",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "ETag",
    "Retry-After",
    "X-Correlation-Id",
    "X-Flags-Stale",
    "X-Idempotency-Replayed",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
]
