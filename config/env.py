"""The environment, typed: every setting that comes from outside is declared and explained here, once.

A missing or wrong value stops the start with a sentence that names the variable and says what to set.
"""

import ipaddress
import sys
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from apps.core.outbound.smtp import smtp_options
from apps.core.sealing.keys import parse_master_keys
from config.issuers import ExternalIssuer, parse_issuers, service_address

CommaList = Annotated[list[str], NoDecode]


class Environment(BaseSettings):
    """Variables that Steward reads. Lists are comma-separated."""

    model_config = SettingsConfigDict(case_sensitive=True, extra="ignore")

    # --- what must be set (`make up` and `make test` set it for the embedded engines) ---
    SECRET_KEY: str = Field(min_length=32, description="Django's secret key, at least 32 characters")
    STEWARD_MASTER_KEYS: str = Field(
        description="master keys that seal secrets: `id:<base64 of 32 bytes>`, the first one is current"
    )
    STEWARD_KEY_PEPPER: str = Field(
        min_length=16, description="pepper of API key hashes; changing it ends every key"
    )
    DATABASE_URL: str = Field(
        description="postgresql:// address of the application's role, which owns nothing"
    )
    DATABASE_OWNER_URL: str = Field(
        default="", description="postgresql:// address of the role that owns the schema; needed to migrate"
    )
    REDIS_URL: str = Field(description="redis:// address of Redis or Valkey")

    # --- the deployment ---
    STEWARD_ENVIRONMENT: Literal["development", "test", "production"] = Field(
        default="production", description="development and test relax cookies to plain HTTP"
    )
    PUBLIC_URL: str = Field(
        default="http://127.0.0.1:8000", description="address under which people reach Steward"
    )
    ALLOWED_HOSTS: CommaList = Field(
        default=["127.0.0.1", "localhost"], description="host names that are served"
    )
    CORS_ALLOWED_ORIGINS: CommaList = Field(
        default=[], description="origins whose scripts may call the surfaces"
    )
    TRUSTED_PROXIES: CommaList = Field(default=[], description="networks of our own proxies (CIDR)")
    INTERNAL_NETWORKS: CommaList = Field(
        default=["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
        description="networks that may call /internal/ (CIDR)",
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="least level logged"
    )
    LOG_FORMAT: Literal["json", "console"] = Field(
        default="json", description="json for machines, console for people"
    )
    DATABASE_MAX_AGE_SECONDS: int = Field(
        default=60, ge=0, le=3600, description="how long a connection is reused"
    )
    DATABASE_PREPARED_STATEMENTS: bool = Field(
        default=True, description="false behind a pooler that does not carry prepared statements over"
    )
    DATABASE_STATEMENT_SECONDS: int = Field(
        default=30,
        ge=1,
        le=600,
        description="longest that a statement may take; a database that says nothing is given up 5 s later",
    )

    # --- machines and people ---
    ADMIN_KEYS: CommaList = Field(
        default=[], description="`name:key` of each automation key; several may be valid"
    )
    TOKEN_ISSUER: str = Field(default="", description="`iss` of our own tokens; default is PUBLIC_URL")
    TOKEN_AUDIENCE: str = Field(default="steward", description="`aud` that a token must carry")
    EXTERNAL_ISSUERS: Annotated[list[ExternalIssuer], NoDecode] = Field(
        default=[],
        description="JSON list of {issuer, jwks_url, audience, platform: bool, tenant_id} of other issuers that are "
        'trusted; tenant_id is the one tenant that its tokens may speak for, or "*" for whichever they name (the '
        "platform's own may leave it out)",
    )
    ISSUER_NETWORKS: CommaList = Field(
        default=["127.0.0.0/8", "::1/128"],
        description="networks (CIDR) in which a jwks_url may lie that is not public; only there may it be http://",
    )
    MFA_REQUIRED_FOR_ALL_STAFF: bool = Field(
        default=False, description="super_admin always needs TOTP; true asks it of every staff member"
    )
    TENANT_LOGIN_URL: str = Field(
        default="",
        description="where a tenant's people sign in to your product, {slug} stands for the tenant's; "
        "default is Steward's own sign-in page",
    )
    HEALTH_SOURCE_NETWORKS: CommaList = Field(
        default=["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
        description="networks (CIDR) in which a health source may lie that are not public; metadata and link-local "
        "addresses never",
    )
    NILE_URL: str = Field(
        default="",
        description="address of Nile's auth service, as its console shows it (…/v2/databases/<id>), where its "
        "sessions are accepted; also the issuer under which its people are linked",
    )
    NILE_NETWORKS: CommaList = Field(
        default=[],
        description="networks (CIDR) in which NILE_URL may lie that are not public; only there may it be http://",
    )

    # --- mail ---
    EMAIL_URL: str = Field(
        default="smtp://127.0.0.1:1025", description="smtp:// or smtps:// address of the relay"
    )
    MAIL_FROM: str = Field(default="Steward <steward@localhost>", description="sender of our mails")

    # --- objects (exports, archives, backups) ---
    OBJECT_STORE_ROOT: str = Field(
        default="", description="folder of the embedded object store; default is .steward/objects"
    )

    # --- flags ---
    FLAGS_SNAPSHOT_FILE: str = Field(
        default="",
        description="file that keeps the last flags, so that a process which starts without the database answers; "
        "empty: none",
    )

    FLAG_STREAMS: int = Field(
        default=2, ge=0, description="streams of flag changes that one process holds; `stream` has 100"
    )

    FLAG_STREAM_SECONDS: int = Field(
        default=3600, ge=0, description="after so long a stream of flag changes ends; subscribers come back"
    )

    # --- limits (requests a minute for each caller) ---
    RATE_LIMIT_PLATFORM: int = Field(default=600, ge=1, description="platform surface, most routes")
    RATE_LIMIT_PLATFORM_SEARCH: int = Field(
        default=100, ge=1, description="platform surface, user search and finance"
    )
    RATE_LIMIT_SERVICE: int = Field(default=600, ge=1, description="service surface, reads")
    RATE_LIMIT_SERVICE_WRITE: int = Field(
        default=60, ge=1, description="service surface, writes of one subject"
    )
    RATE_LIMIT_SERVICE_INTERNAL: int = Field(
        default=1000, ge=1, description="internal routes, by address and X-Service-Id together"
    )
    RATE_LIMIT_OFREP: int = Field(default=1000, ge=1, description="OFREP, by the subject of the token")
    RATE_LIMIT_AUTOMATION: int = Field(default=600, ge=1, description="automation surface, by key")
    RATE_LIMIT_CONSOLE: int = Field(default=600, ge=1, description="console surface")
    RATE_LIMIT_CONTROL: int = Field(default=240, ge=1, description="control surface, most routes")
    RATE_LIMIT_CONTROL_AUTH: int = Field(default=180, ge=1, description="control surface, /v1/auth")
    RATE_LIMIT_CONTROL_EVENTS: int = Field(default=600, ge=1, description="control surface, /v1/events")
    RATE_BURST_CONTROL: int = Field(
        default=60, ge=0, description="control surface, most routes: requests beyond the limit in a rush"
    )
    RATE_BURST_CONTROL_AUTH: int = Field(default=40, ge=0, description="the same for /v1/auth")
    RATE_BURST_CONTROL_EVENTS: int = Field(default=150, ge=0, description="the same for /v1/events")
    COMPATIBILITY_STAGE: Literal["M0", "M1", "M2", "M3"] = Field(
        default="M1",
        description="former addresses below /api/platform: M0 and M1 serve them, M2 deprecates them, M3 answers 410",
    )
    COMPATIBILITY_DEPRECATED: date = Field(
        default=date(2026, 12, 1), description="since when they are deprecated (stage M2 says so)"
    )
    COMPATIBILITY_SUNSET: date = Field(
        default=date(2027, 6, 1), description="when they will be gone (stage M2 says so)"
    )
    CONTROL_STRICT_HEADERS: bool = Field(
        default=False,
        description="control surface: true refuses mutations without Idempotency-Key and requests without "
        "X-Correlation-Id",
    )

    @field_validator(
        "ALLOWED_HOSTS",
        "CORS_ALLOWED_ORIGINS",
        "TRUSTED_PROXIES",
        "INTERNAL_NETWORKS",
        "ISSUER_NETWORKS",
        "HEALTH_SOURCE_NETWORKS",
        "NILE_NETWORKS",
        "ADMIN_KEYS",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("EXTERNAL_ISSUERS", mode="before")
    @classmethod
    def _issuers(cls, value: Any) -> Any:
        return parse_issuers(value) if isinstance(value, str) else value

    @field_validator("EXTERNAL_ISSUERS")
    @classmethod
    def _not_ourselves(cls, value: list[ExternalIssuer], info: ValidationInfo) -> list[ExternalIssuer]:
        own = str(info.data.get("TOKEN_ISSUER") or info.data.get("PUBLIC_URL", "")).rstrip("/")
        if own in {each.issuer for each in value}:
            raise ValueError(f"names {own}, which is our own issuer (TOKEN_ISSUER, or else PUBLIC_URL)")
        return value

    @field_validator(
        "TRUSTED_PROXIES", "INTERNAL_NETWORKS", "ISSUER_NETWORKS", "HEALTH_SOURCE_NETWORKS", "NILE_NETWORKS"
    )
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("NILE_URL")
    @classmethod
    def _nile(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        found = service_address(value)
        if found in {each.issuer for each in info.data.get("EXTERNAL_ISSUERS", [])}:
            raise ValueError("is also an issuer in EXTERNAL_ISSUERS: each name stands for one")
        return found

    @field_validator("DATABASE_URL", "DATABASE_OWNER_URL")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("STEWARD_MASTER_KEYS")
    @classmethod
    def _master_keys(cls, value: str) -> str:
        parse_master_keys(value)
        return value

    @field_validator("EMAIL_URL")
    @classmethod
    def _mail(cls, value: str) -> str:
        smtp_options(value)
        return value

    @field_validator("ADMIN_KEYS")
    @classmethod
    def _named_keys(cls, value: list[str]) -> list[str]:
        for entry in value:
            name, _, key = entry.partition(":")
            if not name or len(key) < 24:
                raise ValueError("each key is written name:key, the key at least 24 characters")
        return value


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "environment"
    field = Environment.model_fields.get(name)
    what = f" ({field.description})" if field is not None else ""
    if error["type"] == "missing":
        return f"Set {name}{what}."
    return f"{name} is wrong: {error['msg'].removeprefix('Value error, ')}{what}."


@cache
def environment() -> Environment:
    """The environment, read once.

    Raises:
        SystemExit: a variable is missing or wrong; each is named in a sentence on standard error.
    """
    try:
        return Environment()
    except ValidationError as refused:
        lines = ["Steward can't start:", *(f"  - {_sentence(error)}" for error in refused.errors())]
        lines.append("`make up` sets all of them for a trial; docs/operations.md explains each.")
        sys.stderr.write("\n".join(lines) + "\n")
        raise SystemExit(78) from None
