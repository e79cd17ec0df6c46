"""Who stands behind a verified token, and whether it was revoked since. Asked on each request, from the rows.

A token is void where its person, its tenant or itself was stopped after it was issued: a raised
`tokens_valid_after`, a suspended or blocked person, a suspended or cancelled tenant, a revoked `jti`.
"""

import hashlib
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from apps.core import ids
from apps.core.principal import Principal, PrincipalKind
from apps.identity.errors import TokenRefused
from apps.identity.selectors import bearer, is_revoked, person_of
from apps.identity.verification import VerifiedToken, verify
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Tenant, Workspace
from apps.users.models import User, revoked

log = structlog.get_logger(__name__)

# What the columns take that name an actor (audit_entry.actor_id).
_LONGEST_ID = 200
_STOPPED = frozenset({TenantStatus.SUSPENDED, TenantStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class _Place:
    tenant_id: UUID | None = None
    workspace_id: UUID | None = None


def caller(text: str, *, via: str = "", address: str | None = None) -> Principal:
    """The principal of a bearer token.

    A person of ours has the staff roles of their row, never of the token, and only where the token comes from an
    issuer of the platform. `scopes` are the token's scopes and roles. Anything else that an issuer vouches for is a
    service, with the id `issuer|subject`.

    Raises:
        TokenRefused: not genuine, not in force, or revoked.
    """
    return principal_of(verify(text), via=via, address=address)


def principal_of(token: VerifiedToken, *, via: str = "", address: str | None = None) -> Principal:
    """As `caller`, for a token that was verified already.

    Raises:
        TokenRefused: revoked, or of a person, tenant or workspace that is not there.
    """
    try:
        person = _person(token)
        place = _place(token)
    except TokenRefused as refused:
        log.info("token_refused", reason=refused.reason)
        raise
    base = stranger(token.issuer, token.subject) if person is None else _as_person(person, token)
    return replace(
        base,
        tenant_id=place.tenant_id,
        workspace_id=place.workspace_id,
        scopes=token.rights,
        session=token.session,
        via=via,
        address=address,
    )


def stranger(issuer: str, subject: str) -> Principal:
    """Somebody whom an issuer vouches for and who is nobody of ours: a service, without any role."""
    return Principal(kind=PrincipalKind.SERVICE, id=_service_id(issuer, subject), label=subject)


def _service_id(issuer: str, subject: str) -> str:
    """`issuer|subject`; where the trail has no room for that, a hash of it, as stable and as unique."""
    whole = f"{issuer}|{subject}"
    if len(whole) <= _LONGEST_ID:
        return whole
    return f"sha256|{hashlib.sha256(whole.encode()).hexdigest()}"


def _as_person(person: User, token: VerifiedToken) -> Principal:
    known = person.principal(via="", address=None)
    # A tenant's own issuer can't speak for our staff.
    return known if token.platform else replace(known, kind=PrincipalKind.USER, roles=frozenset())


def _person(token: VerifiedToken) -> User | None:
    """The person behind a token that was not revoked, in force; None for a subject that is nobody of ours."""
    user_id = ids.parse_or_none(ids.USER, token.subject) if token.own else None
    if user_id is not None:
        is_void, found = bearer(token.issuer, token.jti, user_id)
    else:
        is_void = token.jti is not None and is_revoked(token.issuer, token.jti)
        found = None
    if is_void:
        raise TokenRefused("revoked")
    if user_id is not None and found is None:
        raise TokenRefused("no_such_person")
    if not token.own:
        identity = person_of(token.issuer, token.subject)
        found = identity.user if identity is not None else None
    if found is None:
        return None
    if not found.is_active:
        raise TokenRefused("person_stopped")
    if revoked(found, token.issued_at):
        raise TokenRefused("person_revoked")
    return found


def _place(token: VerifiedToken) -> _Place:
    """The token's tenant and workspace, the one in force, the other one of its own."""
    if token.tenant_id is None:
        if token.workspace_id is not None:
            raise TokenRefused("workspace_without_tenant")
        return _Place()
    tenant = _tenant(token.tenant_id)
    if tenant is None or tenant.status in _STOPPED:
        raise TokenRefused("tenant_stopped")
    if tenant.tokens_valid_after is not None and token.issued_at <= tenant.tokens_valid_after:
        raise TokenRefused("tenant_revoked")
    if token.workspace_id is None:
        return _Place(tenant_id=tenant.id)
    workspace_id = ids.parse_or_none(ids.WORKSPACE, token.workspace_id)
    if workspace_id is None or not Workspace.objects.filter(id=workspace_id, tenant_id=tenant.id).exists():
        raise TokenRefused("workspace_elsewhere")
    return _Place(tenant_id=tenant.id, workspace_id=workspace_id)


def _tenant(public_id: str) -> Tenant | None:
    tenant_id = ids.parse_or_none(ids.TENANT, public_id)
    if tenant_id is None:
        return None
    return Tenant.objects.filter(id=tenant_id).only("status", "tokens_valid_after").first()
