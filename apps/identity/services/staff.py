"""Staff members that stand behind minted tokens."""

import re
from collections.abc import Sequence

from django.contrib.auth.hashers import make_password

from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.identity.errors import NameInvalid
from apps.users.models import StaffMember, User

_NAME = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)


def minted_staff(*, actor: Principal, roles: Sequence[str], name: str = "") -> User:
    """The staff member with exactly these roles that tokens are minted for; made, or put right, where need be.

    Nobody can sign in as them: they have no password, and the address is one that can't exist (RFC 2606).

    Args:
        name: tells several with the same roles apart.

    Raises:
        NameInvalid: it can't be a part of the address.
    """
    wanted = sorted(set(roles))
    if name and not _NAME.fullmatch(name):
        raise NameInvalid
    email = f"minted+{'+'.join([*wanted, *([name] if name else [])])}@steward.invalid"
    with write("staff.mint", actor=actor, target=Target(type="user", id="new")) as w:
        user, made = User.objects.get_or_create(
            email=email, defaults={"name": "Minted token", "password": make_password(None)}
        )
        StaffMember.objects.update_or_create(user=user, defaults={"roles": wanted, "is_active": True})
        if made:
            w.publish("user.created", user_id=str(user.id))
        return User.objects.select_related("staff").get(id=user.id)
