"""Cookies, headers, passwords, proxies, sealing keys."""

from config.env import environment

env = environment()
_plain_http = env.STEWARD_ENVIRONMENT != "production"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = not _plain_http
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.TRUSTED_PROXIES else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$", r"^internal/"]
SECURE_HSTS_SECONDS = 0 if _plain_http else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not _plain_http
SECURE_HSTS_PRELOAD = not _plain_http
X_FRAME_OPTIONS = "DENY"

SESSION_COOKIE_SECURE = not _plain_http
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "steward_session"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SECURE = not _plain_http
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "steward_csrf"
CSRF_TRUSTED_ORIGINS = [env.PUBLIC_URL.rstrip("/")]
CSRF_FAILURE_VIEW = "apps.surfaces.kit.fallback.csrf_failure"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The most that the knob `global.password_reset_hours` allows; the knob is what counts.
PASSWORD_RESET_TIMEOUT = 72 * 3600

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

MASTER_KEYS = env.STEWARD_MASTER_KEYS
KEY_PEPPER = env.STEWARD_KEY_PEPPER
ADMIN_KEYS = env.ADMIN_KEYS
TRUSTED_PROXIES = env.TRUSTED_PROXIES
INTERNAL_NETWORKS = env.INTERNAL_NETWORKS
HEALTH_SOURCE_NETWORKS = env.HEALTH_SOURCE_NETWORKS
CORS_ALLOWED_ORIGINS = env.CORS_ALLOWED_ORIGINS
