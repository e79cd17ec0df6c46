"""Tokens by hand: what `manage.py mint_token` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.identity.errors import MintingRefused, OtherRoles
from apps.identity.services.staff import minted_staff
from apps.identity.services.tokens import issue_token
from apps.tenants.models import Tenant, Workspace
from apps.users.models import User

_NO_TOKEN = Target(type="token", id="new")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the token shall say.

    Attributes:
        staff: staff roles of the person that it is for; empty: it is for `subject`.
        subject: a person, or the `sub` of a machine. With `staff`, a person who must have exactly these roles, or a
            word that tells staff members with the same roles apart.
    """

    staff: Sequence[str] = ()
    scopes: Sequence[str] = ()
    roles: Sequence[str] = ()
    tenant: Tenant | None = None
    workspace: Workspace | None = None
    subject: User | str = ""
    lifetime: timedelta = timedelta(hours=1)


def mint_token(*, actor: Principal, wanted: Wanted, force: bool = False) -> str:
    """One token, one row in the trail, with everything that had to be made for it.

    In production it is refused: there tokens come from grants. `force` mints nevertheless (whoever can start the
    command can read the master keys too), and the row says so.

    Raises:
        MintingRefused: this is production, and `force` is not set.
        PersonInactive: the person is suspended or blocked.
        OtherRoles: the person does not have exactly the staff roles that are wanted.
        LifetimeInvalid, SubjectInvalid, WorkspaceElsewhere: as `issue_token`.
    """
    if settings.ENVIRONMENT == "production" and not force:
        raise MintingRefused
    with write("token.mint", actor=actor, target=_NO_TOKEN) as w:
        subject = _subject(actor, wanted)
        token = issue_token(
            actor=actor,
            subject=subject,
            tenant=wanted.tenant,
            workspace=wanted.workspace,
            scopes=wanted.scopes,
            roles=wanted.roles,
            lifetime=wanted.lifetime,
        )
        w.on(token.audit_target())
        w.note(
            subject=subject.public_id if isinstance(subject, User) else subject,
            staff_roles=sorted(wanted.staff),
            scopes=list(wanted.scopes),
            roles=list(wanted.roles),
            tenant=wanted.tenant.public_id if wanted.tenant else None,
            workspace=wanted.workspace.public_id if wanted.workspace else None,
            seconds=int(wanted.lifetime.total_seconds()),
            forced=force,
        )
        return token.text


def _subject(actor: Principal, wanted: Wanted) -> User | str:
    if not wanted.staff:
        return wanted.subject or "minted"
    if isinstance(wanted.subject, str):
        return minted_staff(actor=actor, roles=wanted.staff, name=wanted.subject)
    if wanted.subject.staff_roles != set(wanted.staff):
        raise OtherRoles
    return wanted.subject
