"""What single tenants are given against the rules, from the page of the flag and from theirs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core.principal import Principal
from apps.flags import selectors
from apps.flags.admin import tenants
from apps.flags.admin.dialogs import MomentField, OfFlag, changed
from apps.flags.enums import ValueType
from apps.flags.models import Flag

OVERRIDE = "flags.override"
RULES = "rules"


class TenantForm(ReasonForm):
    """Whose override."""

    def __init__(self, data: Any, *, seen: Seen) -> None:
        super().__init__(data)
        self.seen = seen
        self.fields["tenant"] = forms.CharField(max_length=200, help_text="id, slug or company")
        self.order_fields(["tenant", "reason"])

    def clean_tenant(self) -> Any:
        return tenants.the_one(self.seen.principal, self.cleaned_data["tenant"], permission=OVERRIDE)


class OverrideForm(TenantForm):
    """What one tenant gets."""

    def __init__(self, data: Any, *, variations: list[tuple[str, str]], seen: Seen) -> None:
        super().__init__(data, seen=seen)
        self.fields["gives"] = narrow(forms.ChoiceField(label="Gets", choices=variations))
        self.fields["expires"] = narrow(
            MomentField(label="Until, UTC", required=False, help_text="Empty: until it is removed")
        )
        self.order_fields(["tenant", "gives", "expires", "reason"])


class SetOverride(OfFlag):
    name: ClassVar[str] = "override"
    title: ClassVar[str] = "Override for a tenant"
    icon: ClassVar[str] = "apartment"
    submit: ClassVar[str] = "Set the override"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "It gets this whatever rules, rollout and prerequisites say. An override that stands is replaced."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        return OverrideForm(data, variations=gives(target), seen=seen)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        tenant = data["tenant"]
        return give(actor, target, tenant.public_id, tenant.company_name, data)


def gives(flag: Flag) -> list[tuple[str, str]]:
    return [(str(each["key"]), str(each["key"])) for each in flag.variations]


def give(actor: Principal, flag: Flag, tenant_id: str, company: str, data: Mapping[str, Any]) -> Done:
    """Sets the override; "on" and "off" as such where the flag has no variations of these names."""
    chosen = str(data["gives"])
    named = {str(each["key"]) for each in flag.variations} if flag.type != ValueType.BOOLEAN else set()
    plain = chosen in {"on", "off"} and chosen not in named
    return changed(
        "set_override",
        f"{company} gets {chosen}.",
        actor=actor,
        key=flag.key,
        reason=data["reason"],
        tenant_id=tenant_id,
        enabled=(chosen == "on") if plain else None,
        variation=None if plain else chosen,
        expires_at=data["expires"],
    )


class RemoveOverride(OfFlag):
    name: ClassVar[str] = "remove-override"
    title: ClassVar[str] = "Remove an override"
    icon: ClassVar[str] = "undo"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Remove it"

    def available(self, target: Any) -> bool:
        return bool(target.overrides_count)

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "The tenant gets again what the rules say."

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del target
        return TenantForm(data, seen=seen)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        tenant = data["tenant"]
        return changed(
            "remove_override",
            f"{tenant.company_name} gets again what the rules say.",
            actor=actor,
            key=target.key,
            reason=data["reason"],
            tenant_id=tenant.public_id,
        )


class SetFlag(Dialog):
    """On the page of a tenant: one of the flags, on, off, another variation, or back to its rules."""

    name: ClassVar[str] = "set-flag"
    title: ClassVar[str] = "Feature flag"
    permission: ClassVar[str] = OVERRIDE
    icon: ClassVar[str] = "flag"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Save"

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"Feature flag of {target.company_name}"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "Counts at once, whatever the rules of the flag say, until it ends or is taken back."

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del target, seen
        flags = list(selectors.live_flags())
        names = {str(each["key"]) for flag in flags for each in flag.variations}
        others = sorted(names - {"on", "off"})
        words = [
            ("on", "on"),
            ("off", "off"),
            *((name, name) for name in others),
            (RULES, "what the rules say"),
        ]
        form = ReasonForm(data)
        form.fields["flag"] = forms.ChoiceField(choices=[(flag.key, flag.key) for flag in flags])
        form.fields["gives"] = narrow(forms.ChoiceField(label="Gets", choices=words))
        form.fields["expires"] = narrow(
            MomentField(label="Until, UTC", required=False, help_text="Empty: until it is taken back")
        )
        form.order_fields(["flag", "gives", "expires", "reason"])
        return form

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        flag = selectors.get_flag(actor, data["flag"])
        if data["gives"] == RULES:
            done = changed(
                "remove_override",
                f"{target.company_name} gets of {flag.key} what the rules say.",
                actor=actor,
                key=flag.key,
                reason=data["reason"],
                tenant_id=target.public_id,
            )
        else:
            done = give(actor, flag, target.public_id, target.company_name, data)
        return Done(done.sentence, f"{site.link('tenants', target.public_id, actor)}?tab=flags")
