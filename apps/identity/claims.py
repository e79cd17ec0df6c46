"""The claims of a token: which must be there, what they must look like, what they come to.

Sources: RFC 7519 section 4.1, contracts/service.md and contracts/control.md ("Who calls"), reliability.md ("Tokens").
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.identity.errors import TokenRefused

LEEWAY_SECONDS = 30
_LATEST = 253_402_300_799  # the last second of the year 9999
_LONGEST = 255

SUPER_ADMIN = "SUPER_ADMIN"
# The same right, as Keycloak's realm role writes it.
SUPERADMIN_ROLE = "superadmin"
# Rights over the platform: they count only in tokens of issuers that are marked as the platform's.
PLATFORM_RIGHTS = frozenset({SUPER_ADMIN, SUPERADMIN_ROLE, "SERVICE", "platform_admin", "platform_operator"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, checked in form and time."""

    subject: str
    issued_at: datetime
    expires_at: datetime
    jti: str | None
    session: str | None
    tenant_id: str | None
    workspace_id: str | None
    plan_id: str | None
    rights: frozenset[str]


def checked(claims: Mapping[str, Any], *, audience: str, moment: datetime) -> Claims:
    """The claims, if they hold at `moment`. Whose `iss` it is was decided before, by finding the issuer.

    `exp` has no leeway; `nbf` and `iat` may lie 30 s ahead, for clocks that differ.

    Raises:
        TokenRefused: one is missing, has another form, or does not hold.
    """
    instant = moment.timestamp()
    expires, issued = _instant(claims, "exp"), _instant(claims, "iat")
    not_before = _instant(claims, "nbf") if "nbf" in claims else issued
    if expires <= instant:
        raise TokenRefused("expired")
    if issued > instant + LEEWAY_SECONDS or not_before > instant + LEEWAY_SECONDS:
        raise TokenRefused("not_yet")
    _check_audience(claims.get("aud"), audience)
    _check_use(claims)
    subject = _text(claims, "sub")
    if subject is None:
        raise TokenRefused("claim_sub")
    return Claims(
        subject=subject,
        issued_at=datetime.fromtimestamp(issued, UTC),
        expires_at=datetime.fromtimestamp(expires, UTC),
        jti=_text(claims, "jti"),
        session=_text(claims, "sid"),
        tenant_id=_text(claims, "tenant_id"),
        workspace_id=_text(claims, "workspace_id"),
        plan_id=_text(claims, "plan_id"),
        rights=_rights(claims),
    )


def _instant(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 section 2)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TokenRefused(f"claim_{name}")
    if not math.isfinite(value) or not 0 <= value <= _LATEST:
        raise TokenRefused(f"claim_{name}")
    return float(value)


def _check_audience(value: object, audience: str) -> None:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise TokenRefused("claim_aud")
    if audience not in named:
        raise TokenRefused("audience")


def _check_use(claims: Mapping[str, Any]) -> None:
    """No ID, refresh or logout token (Keycloak writes the kind into `typ`), and none bound to another proof."""
    kind = claims.get("typ", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenRefused("claim_typ")
    # RFC 9449 and 8705: such a token counts only with a proof that we don't check.
    if "cnf" in claims:
        raise TokenRefused("claim_cnf")


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise TokenRefused(f"claim_{name}")
    return value


def _rights(claims: Mapping[str, Any]) -> frozenset[str]:
    """Scopes (space-separated) and roles together; either spelling of SUPER_ADMIN brings the other."""
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenRefused("claim_scope")
    realm = claims.get("realm_access", {})
    if not isinstance(realm, dict):
        raise TokenRefused("claim_realm_access")
    found = {
        *scope.split(),
        *_names(claims.get("roles", []), "claim_roles"),
        *_names(realm.get("roles", []), "claim_realm_access"),
    }
    if found & {SUPER_ADMIN, SUPERADMIN_ROLE}:
        found |= {SUPER_ADMIN, SUPERADMIN_ROLE}
    return frozenset(found)


def _names(value: object, reason: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TokenRefused(reason)
    return value
