"""What an operator does to the sources; registering is the same service as that of the internal route."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.urls import reverse

from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow
from apps.backoffice.seen import Seen
from apps.core.principal import Principal
from apps.monitoring import selectors, services
from apps.monitoring.models import (
    LONGEST_INTERVAL,
    LONGEST_TIMEOUT,
    LONGEST_URL,
    SERVICE_ID,
    SHORTEST_INTERVAL,
    HealthSource,
)


class SourceForm(ReasonForm):
    """Address and pace; the fields are named as the internal route names them, so refusals find their place."""

    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        widget=forms.URLInput(attrs={"placeholder": "http://billing.internal:8080/healthz", "spellcheck": "false"}),
        help_text="http:// or https://; any 2xx is a good answer, a redirect is not followed.",
    )  # fmt: skip
    intervalSeconds = narrow(  # noqa: N815  as the contract writes it
        forms.IntegerField(
            label="Asked every (seconds)", min_value=SHORTEST_INTERVAL, max_value=LONGEST_INTERVAL, initial=30
        )
    )
    timeoutSeconds = narrow(  # noqa: N815
        forms.IntegerField(label="Waits at most (seconds)", min_value=1, max_value=LONGEST_TIMEOUT, initial=5)
    )
    critical = forms.BooleanField(
        label="Critical: when it is down, the platform is unhealthy and not just degraded", required=False
    )
    field_order = ("serviceId", "url", "intervalSeconds", "timeoutSeconds", "critical", "reason")


class NewSourceForm(SourceForm):
    """With the service's name."""

    serviceId = forms.RegexField(  # noqa: N815
        SERVICE_ID,
        label="Service",
        max_length=64,
        widget=forms.TextInput(attrs={"placeholder": "billing", "spellcheck": "false"}),
        error_messages={"invalid": "1 to 64 letters, digits and . _ : -"},
    )

    def clean_serviceId(self) -> str:  # noqa: N802  Django builds the name of the field's
        name = str(self.cleaned_data["serviceId"])
        if selectors.is_registered(name):
            raise forms.ValidationError("It is registered already: its page has “Edit”.")
        return name


def _register(actor: Principal, service_id: str, data: dict[str, Any]) -> HealthSource:
    return services.register_source(
        actor=actor,
        service_id=service_id,
        url=data["url"],
        interval_seconds=data["intervalSeconds"],
        timeout_seconds=data["timeoutSeconds"],
        critical=data["critical"],
        reason=data["reason"],
    )[0]


class AddSource(Dialog):
    name: ClassVar[str] = "register"
    title: ClassVar[str] = "Add a source of health"
    permission: ClassVar[str] = "health.manage"
    icon: ClassVar[str] = "add"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Add it"
    form_class: ClassVar[type[forms.Form]] = NewSourceForm

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "Workers ask it from now on, at its interval, and it counts in the answer that other services are given."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        row = _register(actor, data["serviceId"], data)
        return Done(
            f"{row.service_id} is registered and will be asked within seconds.",
            url=reverse("backoffice:health-page", args=[str(row.id)]),
        )


class _OfSource(Dialog):
    permission: ClassVar[str] = "health.manage"

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"{self.title}: {target.service_id}"


class CheckNow(_OfSource):
    name: ClassVar[str] = "check"
    title: ClassVar[str] = "Check now"
    icon: ClassVar[str] = "refresh"
    submit: ClassVar[str] = "Check it"
    form_class: ClassVar[type[forms.Form]] = forms.Form

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return f"A worker asks it now, not at its next turn; the answer is here within {target.timeout_seconds} s."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del data
        services.ask_at_once(actor=actor, service_id=target.service_id)
        return Done(f"{target.service_id} is being asked; its answer shows in a moment.")


class EditSource(_OfSource):
    name: ClassVar[str] = "edit"
    title: ClassVar[str] = "Edit"
    icon: ClassVar[str] = "edit"
    submit: ClassVar[str] = "Save"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "It is asked at once. With another address it begins as unknown; its answers so far stay."

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        initial = {
            "url": target.url,
            "intervalSeconds": target.interval_seconds,
            "timeoutSeconds": target.timeout_seconds,
            "critical": target.critical,
        }
        return SourceForm(data, initial=initial)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        row = _register(actor, target.service_id, data)
        return Done(f"{row.service_id} was changed.")


class RemoveSource(_OfSource):
    name: ClassVar[str] = "remove"
    title: ClassVar[str] = "Remove"
    icon: ClassVar[str] = "delete"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Remove it"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "It is asked no longer, no longer counts, and its answers are deleted; the trail stays. A service that "
            "registers itself comes back when it does so again."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        services.remove_source(actor=actor, service_id=target.service_id, reason=data["reason"])
        return Done(f"{target.service_id} was removed.", url=reverse("backoffice:health"))
