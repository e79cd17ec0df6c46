"""Tokens of the embedded issuer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from joserfc import jwt

from apps.core import ids
from apps.core.access import Role
from apps.core.clock import now
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.identity.claims import SUPER_ADMIN, SUPERADMIN_ROLE
from apps.identity.compact import ALGORITHM
from apps.identity.errors import LifetimeInvalid, PersonInactive, SubjectInvalid, WorkspaceElsewhere
from apps.identity.models import TOKENS_TOPIC, RevokedToken
from apps.identity.selectors import revocation_digest
from apps.identity.services.keys import LONGEST_LIFETIME, ensure_signing_key, private_key
from apps.tenants.models import Tenant, Workspace
from apps.users.models import User

LIFETIME = timedelta(hours=1)
_EPOCH = datetime.fromtimestamp(0, UTC)
TOKEN = "tok"  # noqa: S105  the prefix of a token's id


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; `text` is a secret and is kept nowhere."""

    text: str
    jti: str
    expires_at: datetime

    def audit_target(self) -> Target:
        return Target(type="token", id=self.jti)


@dataclass(frozen=True, slots=True)
class Proof:
    """How and when a person signed in (OpenID Connect Core, `auth_time` and `amr`; values of RFC 8176)."""

    at: datetime
    methods: tuple[str, ...]


def issue_token(
    *,
    actor: Principal,
    subject: User | str,
    tenant: Tenant | None = None,
    workspace: Workspace | None = None,
    scopes: Iterable[str] = (),
    roles: Iterable[str] = (),
    lifetime: timedelta = LIFETIME,
    session: str | None = None,
    proof: Proof | None = None,
) -> IssuedToken:
    """Signs a token with the claims of contracts/control.md and contracts/service.md ("Who calls").

    A person's `sub` is the public id; staff with `super_admin` (the staff row comes with the user) get the scope
    SUPER_ADMIN. The first token on an empty database makes the first key, in the write that is under way or in one
    of its own; otherwise nothing is written: who issues records it.

    Args:
        lifetime: until `exp`; a negative one gives a token that has ended already, for trying out refusals.

    Raises:
        LifetimeInvalid: above 30 days, or less than a day back.
        SubjectInvalid: empty, or above 255 characters.
        PersonInactive: the person is suspended or blocked.
        WorkspaceElsewhere: the workspace is not one of the tenant.
    """
    if not -timedelta(days=1) <= lifetime <= LONGEST_LIFETIME:
        raise LifetimeInvalid
    moment = min(now(), now() + lifetime)
    expires = now() + lifetime
    jti = ids.public(TOKEN, ids.new_id())
    claims: dict[str, Any] = {
        "iss": settings.TOKEN_ISSUER,
        "aud": settings.TOKEN_AUDIENCE,
        "sub": _subject(subject),
        "iat": int(moment.timestamp()),
        "iat_us": (moment - _EPOCH) // timedelta(microseconds=1),
        "nbf": int(moment.timestamp()),
        "exp": int(expires.timestamp()),
        "jti": jti,
        **_place(tenant, workspace),
        **_rights(subject, scopes, roles),
        **_session(session, proof),
    }
    key = ensure_signing_key(actor=actor)
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}
    text = jwt.encode(header, claims, private_key(key), algorithms=[ALGORITHM])
    return IssuedToken(text=text, jti=jti, expires_at=expires)


def _subject(subject: User | str) -> str:
    if isinstance(subject, User):
        if not subject.is_active:
            raise PersonInactive
        return subject.public_id
    if not 0 < len(subject) <= 255:
        raise SubjectInvalid
    return subject


def _place(tenant: Tenant | None, workspace: Workspace | None) -> dict[str, Any]:
    if workspace is not None and (tenant is None or workspace.tenant_id != tenant.id):
        raise WorkspaceElsewhere
    if tenant is None:
        return {}
    here = {"tenant_id": tenant.public_id, "plan_id": ids.public(ids.PLAN, tenant.effective_plan_id)}
    return here if workspace is None else {**here, "workspace_id": workspace.public_id}


def _rights(subject: User | str, scopes: Iterable[str], roles: Iterable[str]) -> dict[str, Any]:
    granted, realm = list(dict.fromkeys(scopes)), list(dict.fromkeys(roles))
    if isinstance(subject, User) and Role.SUPER_ADMIN in subject.staff_roles:
        granted = list(dict.fromkeys([*granted, SUPER_ADMIN]))
        realm = list(dict.fromkeys([*realm, SUPERADMIN_ROLE]))
    return {"scope": " ".join(granted), "realm_access": {"roles": realm}}


def _session(session: str | None, proof: Proof | None) -> dict[str, Any]:
    found: dict[str, Any] = {} if session is None else {"sid": session}
    if proof is not None:
        found |= {"auth_time": int(proof.at.timestamp()), "amr": list(proof.methods)}
    return found


def revoke_token(
    *, actor: Principal, issuer: str, jti: str, expires_at: datetime, reason: str = ""
) -> RevokedToken:
    """Takes one token back, with the next request. Safe to repeat.

    Args:
        jti: its `jti`; the trail names it by a hash, since another issuer may put anything there.
        expires_at: its `exp`: how long that must be remembered.
    """
    digest = revocation_digest(issuer, jti)
    with write("token.revoke", actor=actor, target=Target(type="token", id=digest), reason=reason) as w:
        row, _ = RevokedToken.objects.update_or_create(digest=digest, defaults={"expires_at": expires_at})
        w.touch(TOKENS_TOPIC)
        return row
