"""An action of the tests, and its policy as each test wants it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.approvals import registry
from apps.approvals.registry import approvable
from apps.core import knobs
from apps.core.errors import Conflict, Unavailable
from apps.core.ids import PLAN, parse
from apps.core.knobs import UNSET, find
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.plans.models import Plan

ACTION = "tests.rename_plan"


def rename_plan(*, actor: Principal, params: dict[str, Any], reason: str) -> str:
    """A service as others are; a name tells it what to do."""
    plan_id = parse(PLAN, params["plan_id"])
    with write(
        "plan.rename", actor=actor, target=Target(type="plan", id=params["plan_id"]), reason=reason
    ) as w:
        plan = Plan.objects.select_for_update().get(id=plan_id)
        w.changed(before={"name": plan.name}, after={"name": params["name"]})
        w.touch("tests")
        if params["name"] == "taken":
            raise Conflict("The name is taken.", code="NAME_TAKEN")
        if params["name"] == "away":
            raise Unavailable
        plan.name = params["name"]
        plan.save(update_fields=["name"])
    return plan.name


class Policies:
    """What the knobs say, without the configuration."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def value(self, name: str, tenant_id: object) -> object:
        del tenant_id
        return self.values.get(name, UNSET)


@pytest.fixture(autouse=True)
def policies() -> Iterator[Policies]:
    before, mine = knobs.source(), Policies()
    knobs.provide(mine)
    if find(f"approvals.{ACTION}") is None:
        approvable(
            ACTION,
            execute=rename_plan,
            permission="plans.write",
            title="Rename a plan",
            describe=lambda params: f"Call {params['plan_id']} {params['name']}",
        )
    yield mine
    knobs.provide(before)


@pytest.fixture
def executing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Replaces what the action does."""

    def replace(function: Any) -> None:
        known = registry.known_action(ACTION)
        changed = registry.Approvable(
            action=known.action,
            execute=function,
            permission=known.permission,
            title=known.title,
            describe=known.describe,
            policy=known.policy,
        )
        monkeypatch.setitem(registry._actions, ACTION, changed)

    return replace
