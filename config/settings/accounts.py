"""Who people are: the user model, sign-in by django-allauth, its MFA and sessions."""

from config.env import environment

env = environment()

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["apps.users.auth.backend.StaffBackend"]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/backoffice/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

ACCOUNT_ADAPTER = "apps.users.auth.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGIN_TIMEOUT = 600
# Attempts count in PostgreSQL (apps.users.auth.throttle): allauth's own counters live in the cache, and without
# it would let everybody through or nobody.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "apps.users.services.reset_tokens.ResetTokens"  # noqa: S105  a dotted path
ACCOUNT_FORMS = {
    "change_password": "apps.users.auth.forms.PasswordChangeForm",
    "reset_password": "apps.users.auth.forms.ForgottenPasswordForm",
}
MFA_ADAPTER = "apps.users.auth.adapters.MFAAdapter"
MFA_FORMS = {
    "authenticate": "apps.users.auth.forms.SignInCodeForm",
    "reauthenticate": "apps.users.auth.forms.FreshCodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Steward"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_REQUIRED_FOR_ALL_STAFF = env.MFA_REQUIRED_FOR_ALL_STAFF
USERSESSIONS_TRACK_ACTIVITY = True

# Told to whoever makes a test tenant (apps.tenants.services.test_tenants).
TENANT_LOGIN_URL = env.TENANT_LOGIN_URL or f"{env.PUBLIC_URL.rstrip('/')}{LOGIN_URL}?tenant={{slug}}"

TOKEN_ISSUER = (env.TOKEN_ISSUER or env.PUBLIC_URL).rstrip("/")
TOKEN_AUDIENCE = env.TOKEN_AUDIENCE
EXTERNAL_ISSUERS = [issuer.model_dump() for issuer in env.EXTERNAL_ISSUERS]
ISSUER_NETWORKS = env.ISSUER_NETWORKS
# The name of the issuer too, under which Nile's people are linked (apps.identity.nile).
NILE_URL = env.NILE_URL
NILE_NETWORKS = env.NILE_NETWORKS
EMAIL_BACKEND = "apps.core.outbound.mail.Backend"
EMAIL_URL = env.EMAIL_URL
DEFAULT_FROM_EMAIL = env.MAIL_FROM
SERVER_EMAIL = env.MAIL_FROM
