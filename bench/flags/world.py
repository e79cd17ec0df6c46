"""200 flags for 1,000 tenants, and the same flags as Unleash has them."""

from typing import Any

from apps.core.principal import system
from apps.flags.models import Flag
from apps.flags.services import OverrideFields, create_flag, set_override, update_flag
from apps.plans.services import seed_plans
from apps.tenants.models import Tenant
from apps.users.management import copying

FLAGS, TENANTS = 200, 1_000
_OVERRIDES = 10
ACTOR = system("bench")


def make() -> list[dict[str, str]]:
    """Fills the database; answers each tenant as a caller knows it: `{tenantId, plan, country}`."""
    seed_plans(actor=ACTOR)
    copying.load(copying.world(TENANTS, TENANTS))
    tenants = list(Tenant.objects.select_related("effective_plan").order_by("id")[:TENANTS])
    for number in range(FLAGS):
        create_flag(actor=ACTOR, key=key_of(number), fields=definition(number))
        if number % 4 == 3:
            for tenant in tenants[number : number + _OVERRIDES]:
                set_override(
                    actor=ACTOR, key=key_of(number), tenant_id=tenant.pk, fields=OverrideFields(enabled=True)
                )
    return [
        {"tenantId": each.public_id, "plan": each.effective_plan.slug, "country": each.country}
        for each in tenants
    ]


def key_of(number: int) -> str:
    return f"bench-{number:03d}"


def definition(number: int) -> Any:
    """In turn: plain; rolled out to a part; a rule on plan and country; a rule that splits."""
    kind = number % 4
    if kind == 1:
        return {"rollout": {"percentage": number / 2}}
    if kind in {2, 3}:
        conditions = [
            {"attribute": "plan", "operator": "in", "value": ["growth", "pro", "enterprise"]},
            {"attribute": "country", "operator": "not_in", "value": ["FR", "IT"]},
        ]
        if kind == 2:
            return {"rules": [{"conditions": conditions, "variation": "on"}]}
        split = [{"variation": "on", "weight": 30}, {"variation": "off", "weight": 70}]
        return {"rules": [{"conditions": conditions[:1], "split": split}]}
    return {"defaultEnabled": number % 8 == 0}


def toggle(number: int) -> str:
    """Turns a plain flag over; answers its key."""
    key = key_of(number * 4)
    now = Flag.objects.get(key=key).default_enabled
    update_flag(actor=ACTOR, key=key, fields={"defaultEnabled": not now})
    return key


def strategy(number: int) -> dict[str, Any]:
    """The same as an activation strategy of Unleash, with its tenants as users."""
    kind = number % 4
    rollout = {"rollout": "100", "stickiness": "userId", "groupId": key_of(number)}
    constraints: list[dict[str, Any]] = []
    if kind == 1:
        rollout["rollout"] = str(int(number / 2))
    if kind in {2, 3}:
        constraints = [
            {"contextName": "plan", "operator": "IN", "values": ["growth", "pro", "enterprise"]},
            {"contextName": "country", "operator": "NOT_IN", "values": ["FR", "IT"]},
        ]
    if kind == 3:
        rollout["rollout"] = "30"
        constraints = constraints[:1]
    return {"name": "flexibleRollout", "parameters": rollout, "constraints": constraints}


def is_on(number: int) -> bool:
    """Whether Unleash's flag is turned on at all."""
    return number % 4 != 0 or number % 8 == 0
