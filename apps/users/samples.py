"""The people of a test tenant (apps.tenants.sample_data)."""

from django.contrib.auth.hashers import make_password

from apps.core.principal import Principal
from apps.tenants import facts
from apps.tenants.models import Tenant
from apps.users.enums import MembershipRole
from apps.users.models import Membership, User, UserManager

# The top-level domain is reserved (RFC 2606): no mail reaches anybody.
_DOMAIN = "test.invalid"
_MEMBERS = [
    ("ada", "Ada Example", MembershipRole.ADMIN),
    ("ben", "Ben Example", MembershipRole.MEMBER),
    ("cleo", "Cleo Example", MembershipRole.MEMBER),
]


def make_people(tenant: Tenant, actor: Principal) -> None:
    """The owner, made where nobody has the address yet, and three members. Inside the write that makes the tenant."""
    del actor
    _member(tenant, UserManager.normalize_email(tenant.owner_email), "", MembershipRole.OWNER)
    for local, name, role in _MEMBERS:
        _member(tenant, f"{local}@{tenant.slug}.{_DOMAIN}", name, role)
    facts.refresh("members", tenant.pk)


def _member(tenant: Tenant, email: str, name: str, role: MembershipRole) -> None:
    user, _ = User.objects.get_or_create(
        email=email, defaults={"name": name, "password": make_password(None)}
    )
    Membership.objects.get_or_create(user=user, tenant=tenant, defaults={"role": role})
