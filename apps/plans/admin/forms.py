"""Forms of the catalogue's dialogs."""

from decimal import Decimal
from typing import Any

from django import forms

from apps.backoffice.dialogs import ReasonForm
from apps.backoffice.fields import narrow
from apps.core.money import Money, exponent
from apps.plans.admin.words import label
from apps.plans.limits import CAPABILITIES, FEATURES, LARGEST, LIMITS
from apps.plans.models import Plan, PlanVersion


class TermsForm(ReasonForm):
    """Name, prices, whether it is sold."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    price_monthly = narrow(forms.DecimalField(label="Price a month", min_value=Decimal(0)))
    price_yearly = narrow(forms.DecimalField(label="Price a year", min_value=Decimal(0)))
    trial_days = narrow(forms.IntegerField(label="Trial, days", min_value=0, max_value=365))
    stripe_product_id = narrow(forms.CharField(label="Stripe product", max_length=120, required=False))
    is_active = forms.BooleanField(label="Sold: new tenants can be put on it", required=False)

    field_order = ["name", "description", "price_monthly", "price_yearly", "trial_days", "stripe_product_id"]

    def __init__(self, data: Any, *, plan: Plan) -> None:
        initial = {
            "name": plan.name,
            "description": plan.description,
            "price_monthly": plan.monthly.major,
            "price_yearly": Money(plan.currency, plan.price_yearly).major,
            "trial_days": plan.trial_days,
            "stripe_product_id": plan.stripe_product_id or "",
            "is_active": plan.is_active,
        }
        super().__init__(data, initial=initial)
        places = exponent(plan.currency)
        for name in ("price_monthly", "price_yearly"):
            self.fields[name].help_text = f"In {plan.currency}, at most {places} decimals"
        self.order_fields([*self.field_order, "is_active", "reason"])


class LimitsForm(ReasonForm):
    """What the plan grants. An empty limit is unlimited."""

    grandfather = forms.BooleanField(
        label="Only for who comes from now on; today's subscribers keep what they have", required=False
    )
    go_on = forms.BooleanField(label="Save although tenants will be above their limits", required=False)

    def __init__(self, data: Any, *, newest: PlanVersion, asks: bool) -> None:
        initial: dict[str, Any] = {**newest.limits, "capabilities": newest.capabilities}
        initial["features"] = [key for key, on in newest.features.items() if on]
        super().__init__(data, initial=initial)
        for key, limit in LIMITS.items():
            self.fields[key] = narrow(forms.IntegerField(label=label(limit.meter), required=False))
            self.fields[key].widget.attrs.update({"placeholder": "unlimited", "min": 1, "max": LARGEST})
        self.fields["features"] = forms.MultipleChoiceField(
            choices=[(key, label(key)) for key in FEATURES],
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        self.fields["capabilities"] = forms.MultipleChoiceField(
            choices=[(key, key) for key in CAPABILITIES], required=False, widget=forms.CheckboxSelectMultiple
        )
        if not asks:
            del self.fields["go_on"]
        self.order_fields([*LIMITS, "features", "capabilities", "grandfather", "go_on", "reason"])
