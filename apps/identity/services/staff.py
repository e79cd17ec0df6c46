"""Staff members that stand behind minted tokens."""

import re
import secrets
from collections.abc import Sequence

from apps.core.principal import Principal
from apps.identity.errors import NameInvalid
from apps.users.errors import EmailTaken
from apps.users.models import User
from apps.users.services import create_staff, set_staff_roles

_NAME = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)


def minted_staff(*, actor: Principal, roles: Sequence[str], name: str = "") -> User:
    """The staff member with exactly these roles that tokens are minted for; made, or put right, where need be.

    Nobody can sign in as them: nobody knows the password, and the address is one that can't exist (RFC 2606).

    Args:
        name: tells several with the same roles apart.

    Raises:
        NameInvalid: it can't be a part of the address.
        StaffRolesInvalid: an unknown role.
        LastSuperAdmin: somebody made this member the last super_admin, whom it would take the role from.
    """
    if name and not _NAME.fullmatch(name):
        raise NameInvalid
    wanted = sorted(set(roles))
    email = f"minted+{'+'.join([*wanted, *([name] if name else [])])}@steward.invalid"
    found = _by_email(email)
    if found is None:
        try:
            return create_staff(
                actor=actor,
                email=email,
                name="Minted token",
                roles=wanted,
                password=secrets.token_urlsafe(48),
            )
        except EmailTaken:
            # Another mint was quicker.
            found = User.objects.select_related("staff").get(email=email)
    if found.staff_roles == set(wanted):
        return found
    return set_staff_roles(actor=actor, user_id=found.id, roles=wanted, reason="A token was minted.")


def _by_email(email: str) -> User | None:
    return User.objects.select_related("staff").filter(email=email).first()
