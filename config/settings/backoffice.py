"""The operators' pages (django-unfold)."""

from typing import Any

# Asked with the request before every page: True where a second factor must be set up, or shown, first.
BACKOFFICE_GATE = "apps.users.auth.mfa.must_enrol"
BACKOFFICE_GATE_URL = "/accounts/2fa/totp/activate/"
BACKOFFICE_LOGOUT_URL = "/accounts/logout/"
BACKOFFICE_ACCOUNT_LINKS = [
    ("Two-factor sign-in", "/accounts/2fa/"),
    ("Sessions", "/accounts/sessions/"),
    ("Password", "/accounts/password/change/"),
]

# Scripts only from our own files, none evaluated; styles may stand in the page (the theme's colours do).
BACKOFFICE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

# Paper, ink and pine. `base` and `primary` are the names that django-unfold's style sheet reads.
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Steward",
    "SITE_HEADER": "Steward",
    "BORDER_RADIUS": "5px",
    "COLORS": {
        "base": {
            "50": "oklch(98.4% .004 100)",
            "100": "oklch(96% .006 100)",
            "200": "oklch(91.5% .008 105)",
            "300": "oklch(84% .01 110)",
            "400": "oklch(70% .012 120)",
            "500": "oklch(55% .014 130)",
            "600": "oklch(44% .014 140)",
            "700": "oklch(36% .014 145)",
            "800": "oklch(27.5% .013 150)",
            "900": "oklch(21% .012 155)",
            "950": "oklch(16.5% .011 155)",
        },
        "primary": {
            "50": "oklch(97% .014 165)",
            "100": "oklch(94% .03 165)",
            "200": "oklch(88.5% .053 165)",
            "300": "oklch(81% .078 165)",
            "400": "oklch(72% .093 165)",
            "500": "oklch(61% .095 165)",
            "600": "oklch(47% .08 167)",
            "700": "oklch(40.5% .068 168)",
            "800": "oklch(34% .055 170)",
            "900": "oklch(28.5% .043 172)",
            "950": "oklch(22% .032 174)",
        },
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
}
