"""Users, members, staff, and principals."""

import itertools
from typing import Any

from django.contrib.auth.hashers import make_password

from apps.core.principal import Principal, PrincipalKind
from apps.tenants.models import Tenant
from apps.users.enums import MembershipRole
from apps.users.models import Membership, StaffMember, User

_numbers = itertools.count(1)

PASSWORD = "correct horse battery staple"


def make_user(**fields: Any) -> User:
    """A person without tenant or staff role; the password is `PASSWORD`."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "email": f"person{number}@people.example",
        "name": f"Pat Person{number}",
        "password": make_password(PASSWORD),
        **fields,
    }
    user = User.objects.create(**values)
    return User.objects.select_related("staff").get(pk=user.pk)


def make_member(tenant: Tenant, role: str = MembershipRole.MEMBER, **fields: Any) -> User:
    """A person of that tenant."""
    user = make_user(**fields)
    Membership.objects.create(user=user, tenant=tenant, role=role)
    return user


def make_staff(*roles: str, is_active: bool = True, **fields: Any) -> User:
    """One of ours, with the given staff roles (default super_admin)."""
    user = make_user(**fields)
    StaffMember.objects.create(user=user, roles=list(roles or ("super_admin",)), is_active=is_active)
    return User.objects.select_related("staff").get(pk=user.pk)


def staff_principal(*roles: str) -> Principal:
    """A principal with these staff roles and a row behind it."""
    return make_staff(*roles).principal(via="platform", address="203.0.113.7")


def actor() -> Principal:
    """A super_admin without a row: for services whose actor does not matter."""
    return Principal(
        kind=PrincipalKind.STAFF,
        id="usr_00000000000000000000000000",
        label="operator@steward.example",
        roles=frozenset({"super_admin"}),
        address="203.0.113.9",
        via="backoffice",
    )
