"""What an operator does to a plan."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from apps.backoffice import cells
from apps.backoffice.dialogs import Dialog, Done
from apps.backoffice.seen import Seen
from apps.core.money import Money
from apps.core.principal import Principal
from apps.plans import subscribers
from apps.plans.admin.forms import LimitsForm, TermsForm
from apps.plans.errors import PlanInvalid
from apps.plans.limits import FEATURES, LIMITS
from apps.plans.models import Plan, PlanVersion
from apps.plans.services import update_plan

_NAMED = 5


def newest(plan: Plan) -> PlanVersion:
    return PlanVersion.objects.get(plan=plan, version=plan.version)


def subscriber_words(plan: Plan) -> str:
    counted = subscribers.counts([plan.id])
    if counted is None:
        return "How many tenants live by it is not known."
    count = counted.get(plan.id, 0)
    if not count:
        return "No tenant lives by it."
    return f"{cells.counted(count, 'tenant')} {'lives' if count == 1 else 'live'} by it."


class _OfPlan(Dialog):
    permission: ClassVar[str] = "plans.write"

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"{self.title}: {target.name}"


class EditTerms(_OfPlan):
    """Name, prices, trial, whether it is sold."""

    name: ClassVar[str] = "terms"
    title: ClassVar[str] = "Edit name and prices"
    icon: ClassVar[str] = "sell"
    submit: ClassVar[str] = "Save"

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return (
            f"{subscriber_words(target)} Prices here are the catalogue's: what a subscription pays is decided by its "
            "own contract. A retired plan stays for those who have it."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        return TermsForm(data, plan=target)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        plan: Plan = target
        update_plan(
            actor=actor,
            plan_id=plan.id,
            reason=data["reason"],
            if_match=plan.row_version,
            name=data["name"],
            description=data["description"],
            price_monthly=Money.from_major(data["price_monthly"], plan.currency).minor,
            price_yearly=Money.from_major(data["price_yearly"], plan.currency).minor,
            trial_days=data["trial_days"],
            stripe_product_id=data["stripe_product_id"] or None,
            is_active=data["is_active"],
        )
        return Done(f"{data['name']} was saved.")


class EditLimits(_OfPlan):
    """Limits, features and capabilities: the next version of the plan."""

    name: ClassVar[str] = "limits"
    title: ClassVar[str] = "Edit limits"
    icon: ClassVar[str] = "tune"
    submit: ClassVar[str] = "Save as the next version"

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return (
            f"{subscriber_words(target)} What you change here counts for all of them at once, unless you keep it for "
            "those who come from now on. An override of a tenant stands above it."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        # Asked only once it is known that somebody will be above a limit: the answer then comes with the form.
        return LimitsForm(data, newest=newest(target), asks=data is not None)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        plan: Plan = target
        limits = {key: data[key] for key in LIMITS}
        if not data["grandfather"] and not data["go_on"]:
            self._refuse_surprise(actor, plan, limits)
        update_plan(
            actor=actor,
            plan_id=plan.id,
            reason=data["reason"],
            grandfather=data["grandfather"],
            if_match=plan.row_version,
            limits=limits,
            features={key: key in data["features"] for key in FEATURES},
            capabilities=data["capabilities"],
        )
        return Done(f"The limits of {plan.name} were saved.")

    def _refuse_surprise(self, actor: Principal, plan: Plan, limits: Mapping[str, int | None]) -> None:
        """The impact before it is saved: who would be above what is proposed has to be accepted."""
        lower = {key: value for key, value in limits.items() if value is not None}
        count, first = subscribers.affected(actor=actor, plan_id=plan.id, limits=lower, most=_NAMED)
        if not count:
            return
        names = ", ".join(one.tenant_name for one in first)
        more = f" and {count - len(first):,} more" if count > len(first) else ""
        who = f"{cells.counted(count, 'tenant')} {'is' if count == 1 else 'are'}"
        raise PlanInvalid(details={"go_on": [f"{who} above these limits: {names}{more}."]})
