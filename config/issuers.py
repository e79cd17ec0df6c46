"""EXTERNAL_ISSUERS: what an operator says of an issuer whose tokens we trust beside our own."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

# An issuer that may speak for whatever tenant its tokens name.
ANY_TENANT = "*"
_TENANT_ID = re.compile(r"(?:tnt|ten|tn)_[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}")


class ExternalIssuer(BaseModel):
    """One entry.

    Attributes:
        issuer: the exact `iss` of its tokens.
        jwks_url: where its public keys are; https://, or http:// inside ISSUER_NETWORKS.
        audience: what `aud` must hold.
        platform: true for the platform's own issuer: only then do platform rights in its tokens count.
        tenant_id: the one tenant that its tokens may speak for, or `*`: whichever each token names. Only the
            platform's own issuer may leave it out, which is `*` then.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    issuer: str = Field(min_length=1, max_length=255)
    jwks_url: str
    audience: str = Field(min_length=1, max_length=255)
    platform: bool = False
    tenant_id: str | None = Field(default=None, validate_default=True)

    @field_validator("jwks_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username is not None:
            raise ValueError(
                "must be an https:// address without a user name (http:// inside ISSUER_NETWORKS)"
            )
        return value

    @field_validator("tenant_id")
    @classmethod
    def _tenant(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and not info.data.get("platform", True):
            raise ValueError(
                'must say for which tenant its tokens may speak: its id, or "*" for whichever they name'
            )
        if value not in {None, ANY_TENANT} and not _TENANT_ID.fullmatch(value or ""):
            raise ValueError('must be a tenant\'s id, written tnt_ and 26 characters, or "*"')
        return value


def service_address(value: str) -> str:
    """The address of a service that vouches for people, without a slash at the end.

    Raises:
        ValueError: a sentence that says how it must be written.
    """
    parts = urlsplit(value)
    plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not plain or len(value) > 255:
        raise ValueError("must be an https:// address of at most 255 characters, without user name, ? and #")
    return value.rstrip("/")


def parse_issuers(text: str) -> list[ExternalIssuer]:
    """The issuers that a JSON list names; an empty text names none.

    Raises:
        ValueError: a sentence that says which entry is wrong, and how.
    """
    try:
        entries: Any = json.loads(text or "[]")
    except ValueError:
        raise ValueError("must be a JSON list") from None
    if not isinstance(entries, list):
        raise ValueError("must be a JSON list")
    found = [_entry(number, entry) for number, entry in enumerate(entries, start=1)]
    names = [each.issuer for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"names the issuer {twice} twice")
    return found


def _entry(number: int, entry: Any) -> ExternalIssuer:
    if not isinstance(entry, dict):
        raise ValueError(f"entry {number} must be an object")
    try:
        return ExternalIssuer(**entry)
    except ValidationError as refused:
        first = refused.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"entry {number}, {where}: {first['msg'].removeprefix('Value error, ')}") from None
