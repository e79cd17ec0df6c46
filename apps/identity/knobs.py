"""Knobs of the identity app."""

from apps.core.knobs import integer

SIGNING_KEY_DAYS = integer(
    "tokens.signing_key_days",
    default=30,
    minimum=1,
    maximum=365,
    section="Tokens",
    description="Days for which a signing key of the embedded issuer signs before the next one takes over.",
)
