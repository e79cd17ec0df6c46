"""The world that samples act in: a real customer and a test tenant, each with people and a past.

Every personal datum in it bears one of the words of `PERSONAL`, so that what must not be shown can be searched for.
"""

from dataclasses import dataclass

from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target, write
from apps.plans.models import Plan
from apps.tenants.models import Tenant
from apps.users.models import User
from tests.factories import get_plan, make_facts, make_member, make_tenant, make_user

# Parts of personal data of the world below that a masked answer must not hold.
PERSONAL = (b"quillon", b"Quillon", b"Zephyrine", b"zephyrine", b"198.51.100.77", b"2001:db8:77::77")


@dataclass(frozen=True, slots=True)
class Place:
    """One tenant, its people, and what is known of them.

    Attributes:
        user: a member who may be acted upon.
        plan: the tenant's.
        other_plan: one that the tenant does not have.
    """

    tenant: Tenant
    owner: User
    user: User
    plan: Plan
    other_plan: Plan

    def ids(self) -> dict[str, str]:
        """What `{…}` in a sample's path, query and body stands for."""
        return {
            "tenant": self.tenant.public_id,
            "slug": self.tenant.slug,
            "owner": self.owner.public_id,
            "user": self.user.public_id,
            "email": self.user.email,
            "plan": self.plan.public_id,
            "plan_slug": self.plan.slug,
            "other_plan": self.other_plan.public_id,
            "other_plan_slug": self.other_plan.slug,
        }


@dataclass(frozen=True, slots=True)
class Places:
    live: Place
    test: Place
    stranger: User


def make_places() -> Places:
    """A real customer, a test tenant, and a person of neither."""
    return Places(live=_place(is_test=False), test=_place(is_test=True), stranger=make_user())


def _place(*, is_test: bool) -> Place:
    kind = "test" if is_test else "live"
    tenant = make_tenant(
        is_test=is_test, company_name=f"Acme {kind}", owner_email=f"zephyrine.q.{kind}@acme.example"
    )
    make_facts(tenant, mrr=49, users=2)
    owner = make_member(tenant, "owner", email=f"owner.quillon.{kind}@acme.example", name="Zephyrine Quillon")
    user = make_member(tenant, email=f"zephyrine.{kind}@acme.example", name="Zephyrine Quillon-Marsh")
    _past(tenant, user)
    return Place(
        tenant=tenant,
        owner=owner,
        user=user,
        plan=get_plan("starter"),
        other_plan=get_plan("professional"),
    )


def _past(tenant: Tenant, user: User) -> None:
    """Rows of the trail that hold personal data wherever it may stand."""
    for address in ("198.51.100.77", "2001:db8:77::77"):
        doer = Principal(
            kind=PrincipalKind.USER,
            id=user.public_id,
            label=user.email,
            user_id=user.id,
            address=address,
            via="platform",
        )
        for target in (user.audit_target(), _target_of(tenant)):
            with write(
                "sample.note",
                actor=doer,
                target=target,
                reason=f"asked by {user.email} from {address}",
                metadata={"note": "nothing"},
            ) as w:
                w.changed(before={"name": user.name, "email": user.email}, after={"name": "Zephyrine Q."})


def _target_of(tenant: Tenant) -> Target:
    return tenant.audit_target()
