"""Dialogs over plan and billing: what an operator decides against subscription and plan."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms

from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow, only_with
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core.principal import Principal
from apps.plans.admin.words import label
from apps.plans.limits import LARGEST, LIMITS
from apps.plans.models import Plan
from apps.tenants.effective import Effective, effective_of
from apps.tenants.enums import BillingCycle, BillingOverrideType, PaymentMethod, TenantStatus
from apps.tenants.models import BillingOverride, PlanOverride, Tenant
from apps.tenants.services import lift_billing_override, lift_plan_override, override_billing, override_plan
from apps.tenants.terms import BillingTerms, PlanTerms

UNLIMITED = "unlimited"


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def day_end(day: date | None) -> datetime | None:
    """The end of a day that was chosen, in UTC: the midnight after it."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) if day else None


class LimitField(forms.CharField):
    """Empty: as the plan says. A number, or `unlimited`."""

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip().lower().replace(",", "").replace(" ", "")
        if text in {"", UNLIMITED}:
            return text
        if not text.isascii() or not text.isdigit() or int(text) > LARGEST:
            raise forms.ValidationError("A whole number, or “unlimited”.")
        return int(text)


class PlanForm(ReasonForm):
    """Another plan, price or limits. What is left empty stays as subscription and plan say."""

    price_monthly = narrow(forms.DecimalField(
        label="Price a month", required=False, min_value=Decimal(0), decimal_places=2, max_digits=14
    ))  # fmt: skip
    ends_at = narrow(forms.DateField(label="Last day", required=False, widget=DayInput()))

    def __init__(self, data: Any, *, has: Effective) -> None:
        standing = has.plan_override
        initial: dict[str, Any] = {}
        if standing is not None:
            initial = {
                "plan_id": standing.plan.slug if standing.plan else "",
                "price_monthly": standing.price_monthly,
            }
            initial |= {key: UNLIMITED if value is None else value for key, value in standing.limits.items()}
        super().__init__(data, initial=initial)
        sold = (
            Plan.objects.filter(is_active=True).order_by("price_monthly", "slug").values_list("slug", "name")
        )
        self.fields["plan_id"] = forms.ChoiceField(
            label="Plan", required=False, choices=[("", f"as it is ({has.plan.name})"), *sold]
        )
        self.fields["price_monthly"].help_text = f"In {has.currency}; now {has.price_monthly:,.2f}"
        self.fields["ends_at"].help_text = "Empty: until it is lifted"
        for key, figure in has.limits.items():
            now = UNLIMITED if figure.value is None else f"{figure.value:,}"
            title = label(LIMITS[key].meter)
            self.fields[key] = narrow(LimitField(label=title, required=False, max_length=20))
            self.fields[key].widget.attrs["placeholder"] = f"now {now} ({figure.origin.value})"
        self.order_fields(["plan_id", "price_monthly", "ends_at", *has.limits, "reason"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        empty = not data.get("plan_id") and data.get("price_monthly") is None
        if not self.errors and empty and all(data.get(key, "") == "" for key in LIMITS):
            raise forms.ValidationError("Name a plan, a price, or at least one limit.")
        return data


class OverridePlan(Dialog):
    name: ClassVar[str] = "override-plan"
    title: ClassVar[str] = "Edit plan"
    permission: ClassVar[str] = "tenants.override"
    icon: ClassVar[str] = "tune"
    submit: ClassVar[str] = "Override the plan"

    def available(self, target: Any) -> bool:
        return bool(target.status != TenantStatus.CANCELLED)

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"Override the plan of {target.company_name}"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "What you name here stands above subscription and plan at once, and no synchronisation takes it back. "
            "It replaces the override that is in force; what you leave empty stays as it is without one."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        return PlanForm(data, has=effective_of(target))

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        tenant: Tenant = target
        override_plan(
            actor=actor,
            tenant_id=tenant.id,
            terms=plan_terms(data),
            if_match=tenant.version,
        )
        return Done(f"The plan of {tenant.company_name} was overridden.", url=_tab(tenant, actor))


def plan_terms(data: dict[str, Any]) -> PlanTerms:
    """What was typed, as the service takes it."""
    limits = {key: None if data[key] == UNLIMITED else data[key] for key in LIMITS if data.get(key, "") != ""}
    return PlanTerms(
        plan=data["plan_id"] or None,
        price_monthly=data["price_monthly"],
        limits=limits,
        reason=data["reason"],
        ends_at=day_end(data["ends_at"]),
    )


class BillingForm(ReasonForm):
    """Another way of paying."""

    type = forms.ChoiceField(label="What", choices=BillingOverrideType.choices)
    trial_end_date = only_with(
        forms.DateField(label="Last day of the trial", required=False, widget=DayInput()),
        "type",
        "extended_trial",
    )
    cycle = only_with(
        forms.ChoiceField(choices=[("", "choose"), *BillingCycle.choices], required=False),
        "type",
        "custom_cycle",
    )
    method = only_with(
        forms.ChoiceField(choices=[("", "choose"), *PaymentMethod.choices], required=False),
        "type",
        "payment_method",
    )
    ends_at = forms.DateField(
        label="Last day of the override",
        required=False,
        widget=DayInput(),
        help_text="Empty: until it is lifted",
    )

    field_order = ["type", "trial_end_date", "cycle", "method", "ends_at", "reason"]


class OverrideBilling(Dialog):
    name: ClassVar[str] = "override-billing"
    title: ClassVar[str] = "Billing"
    permission: ClassVar[str] = "tenants.override"
    icon: ClassVar[str] = "credit_card"
    submit: ClassVar[str] = "Override the billing"
    form_class: ClassVar[type[forms.Form]] = BillingForm

    def available(self, target: Any) -> bool:
        return bool(target.status != TenantStatus.CANCELLED)

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"Override the billing of {target.company_name}"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Comp: nothing is charged. An extended trial moves its end. Cycle and method are noted for who writes the "
            "invoices. It replaces the billing override that is in force."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        kind = data["type"]
        terms = BillingTerms(
            type=kind,
            reason=data["reason"],
            trial_ends_at=day_end(data["trial_end_date"])
            if kind == BillingOverrideType.EXTENDED_TRIAL
            else None,
            cycle=(data["cycle"] or None) if kind == BillingOverrideType.CUSTOM_CYCLE else None,
            method=(data["method"] or None) if kind == BillingOverrideType.PAYMENT_METHOD else None,
            ends_at=day_end(data["ends_at"]),
        )
        override_billing(actor=actor, tenant_id=target.id, terms=terms, if_match=target.version)
        return Done(f"The billing of {target.company_name} was overridden.", url=_tab(target, actor))


def _tab(tenant: Tenant, reader: Principal) -> str:
    return f"{site.link('tenants', tenant.public_id, reader)}?tab=plan"


class LiftPlan(Dialog):
    name: ClassVar[str] = "lift-plan"
    title: ClassVar[str] = "Lift the plan override"
    permission: ClassVar[str] = "tenants.override"
    icon: ClassVar[str] = "undo"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Lift it"

    def available(self, target: Any) -> bool:
        return PlanOverride.objects.filter(tenant=target, lifted_at__isnull=True).exists()

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return f"Plan, price and limits of {target.company_name} go back to what subscription and plan say."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        lift_plan_override(actor=actor, tenant_id=target.id, reason=data["reason"], if_match=target.version)
        return Done("The plan override was lifted.")


class LiftBilling(Dialog):
    name: ClassVar[str] = "lift-billing"
    title: ClassVar[str] = "Lift the billing override"
    permission: ClassVar[str] = "tenants.override"
    icon: ClassVar[str] = "undo"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Lift it"

    def available(self, target: Any) -> bool:
        return BillingOverride.objects.filter(tenant=target, lifted_at__isnull=True).exists()

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return (
            f"{target.company_name} pays as its subscription says; an extended trial ends as it would have."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        lift_billing_override(
            actor=actor, tenant_id=target.id, reason=data["reason"], if_match=target.version
        )
        return Done("The billing override was lifted.")
