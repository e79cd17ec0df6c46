"""The people of a test tenant (apps.tenants.sample_data)."""

from django.contrib.auth.hashers import make_password

from apps.core.principal import Principal
from apps.tenants import facts
from apps.tenants.models import Tenant
from apps.users.enums import MembershipRole
from apps.users.errors import EmailTaken
from apps.users.models import Membership, User, UserManager
from apps.users.querysets import visible_to

# The top-level domain is reserved (RFC 2606): no mail reaches anybody.
_DOMAIN = "test.invalid"
_MEMBERS = [
    ("ada", "Ada Example", MembershipRole.ADMIN),
    ("ben", "Ben Example", MembershipRole.MEMBER),
    ("cleo", "Cleo Example", MembershipRole.MEMBER),
]


def make_people(tenant: Tenant, actor: Principal) -> None:
    """The owner, made where nobody has the address yet, and three members. Inside the write that makes the tenant.

    Raises:
        EmailTaken: the owner's address is a person's whom the actor does not reach and who is not ours: as a member
            of a test tenant they would come within the reach of whoever has that alone (`qa`).
    """
    address = UserManager.normalize_email(tenant.owner_email)
    _refuse_out_of_reach(address, actor)
    _member(tenant, address, "", MembershipRole.OWNER)
    for local, name, role in _MEMBERS:
        _member(tenant, f"{local}@{tenant.slug}.{_DOMAIN}", name, role)
    facts.refresh("members", tenant.pk)


def _refuse_out_of_reach(address: str, actor: Principal) -> None:
    owner = User.objects.select_related("staff").filter(email=address).first()
    if owner is None or owner.is_staff or visible_to(actor).filter(pk=owner.pk).exists():
        return
    raise EmailTaken(details={"owner_email": [EmailTaken.message]})


def _member(tenant: Tenant, email: str, name: str, role: MembershipRole) -> None:
    user, _ = User.objects.get_or_create(
        email=email, defaults={"name": name, "password": make_password(None)}
    )
    Membership.objects.get_or_create(user=user, tenant=tenant, defaults={"role": role})
