"""What an operator does to a flag beside editing its definition."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms

from apps.approvals.services import Pending
from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow, only_with
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core import ids
from apps.core.principal import Principal
from apps.flags import selectors, services
from apps.flags.admin import drafts, patches
from apps.flags.enums import DEFINING, ScheduleStatus, ValueType
from apps.flags.errors import FlagInvalid
from apps.flags.models import FLAG, Flag
from apps.flags.services.approved import change

MANAGE = "flags.manage"
OFFERED = 100


def changed(
    operation: str, sentence: str, *, actor: Principal, key: str, reason: str, **arguments: Any
) -> Done:
    """Does it, or asks for a second person where the flag needs one; says which."""
    given = {name: value for name, value in arguments.items() if value is not None}
    outcome = change(operation, actor=actor, key=key, arguments=given, reason=reason)
    if isinstance(outcome, Pending):
        return Done("It needs a second person: the request waits under Approvals.")
    return Done(sentence)


class MomentField(forms.CharField):
    """An instant in UTC, as a browser's date and time input sends it; empty for none. Gives RFC 3339."""

    def __init__(self, *, label: str, required: bool, help_text: str = "") -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
        super().__init__(label=label, required=required, help_text=help_text, widget=widget, max_length=40)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError("A date and a time, like 2026-12-24T18:00.") from None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


class OfFlag(Dialog):
    permission: ClassVar[str] = MANAGE

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"{self.title}: {target.key}"

    def available(self, target: Any) -> bool:
        return not target.is_archived


class FlagForm(ReasonForm):
    """What a flag is at its beginning; rules come in its editor."""

    key = forms.CharField(max_length=128, help_text="like checkout.new-form; it can't be changed later")
    description = forms.CharField(required=False, max_length=1000)
    type = narrow(forms.ChoiceField(choices=ValueType.choices))
    default_enabled = narrow(
        forms.ChoiceField(label="Without a rule", choices=[("", "off"), ("on", "on")], required=False)
    )
    variations = only_with(
        forms.CharField(
            required=False,
            max_length=20_000,
            widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "blue = #00f"}),
            help_text="One a line as name = value, at least two; the last one is what off means.",
        ),
        "type",
        ValueType.STRING,
        ValueType.NUMBER,
        ValueType.OBJECT,
    )
    owner = forms.CharField(required=False, max_length=200, help_text="a team or a person who answers for it")
    field_order = ["key", "description", "type", "default_enabled", "variations", "owner", "reason"]


class CreateFlag(Dialog):
    name: ClassVar[str] = "create"
    title: ClassVar[str] = "New flag"
    permission: ClassVar[str] = MANAGE
    icon: ClassVar[str] = "add"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Create it"
    form_class: ClassVar[type[forms.Form]] = FlagForm

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "It is evaluated everywhere at once. Rules, rollout and overrides are added on its page."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        fields: services.FlagFields = {
            "description": data["description"],
            "owner": data["owner"],
            "type": data["type"],
            "defaultEnabled": data["default_enabled"] == "on",
        }
        if data["type"] != ValueType.BOOLEAN:
            fields["variations"] = _variations(data["type"], data["variations"])
        flag = services.create_flag(actor=actor, key=data["key"], fields=fields, reason=data["reason"])
        page = site.link("flags", ids.public(FLAG, flag.id), actor) or ""
        return Done(
            f"{flag.key} is there, and {'on' if flag.default_enabled else 'off'}.", f"{page}?tab=edit"
        )


def _variations(type_: str, text: str) -> list[dict[str, Any]]:
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        key, sign, value = line.partition("=")
        if not sign:
            raise FlagInvalid("variations", f"{line[:60]!r} is not written as name = value.")
        found.append({"key": key.strip(), "value": drafts.read(type_, value.strip())})
    return found


class ArchiveFlag(OfFlag):
    name: ClassVar[str] = "archive"
    title: ClassVar[str] = "Archive"
    icon: ClassVar[str] = "archive"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Archive it"

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return (
            f"It comes to {target.off_variation} for everybody at once, overrides or not. Its key stays taken; "
            "restoring one of its versions brings it back."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        sentence = f"{target.key} is archived: it is off everywhere."
        return changed("archive", sentence, actor=actor, key=target.key, reason=data["reason"])


class Chosen(OfFlag):
    """Of rows of the flag, one is chosen."""

    def choices(self, target: Flag, seen: Seen) -> list[tuple[str, str]]:
        raise NotImplementedError

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        form = ReasonForm(data)
        form.fields["row"] = forms.ChoiceField(label="Which one", choices=self.choices(target, seen))
        form.order_fields(["row", "reason"])
        return form


class RestoreVersion(Chosen):
    name: ClassVar[str] = "restore"
    title: ClassVar[str] = "Restore a version"
    icon: ClassVar[str] = "history"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Restore it"

    def available(self, target: Any) -> bool:
        return bool(target.is_archived or target.version > 1)

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "The definition of that version becomes the newest one; nothing of the history is lost. Overrides stay."

    def choices(self, target: Flag, seen: Seen) -> list[tuple[str, str]]:
        rows = selectors.history(seen.principal, key=target.key).filter(
            kind__in=DEFINING, version__lt=target.version
        )
        return [
            (str(row.version), f"version {row.version}: {row.kind} {row.changed_at:%Y-%m-%d %H:%M}")
            for row in rows[:OFFERED]
        ]

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        sentence = f"Version {data['row']} of {target.key} is restored."
        return changed(
            "restore",
            sentence,
            actor=actor,
            key=target.key,
            reason=data["reason"],
            version=int(data["row"]),
        )


class ScheduleForm(ReasonForm):
    """A change to come: one of the usual ones, or any as JSON."""

    what = narrow(
        forms.ChoiceField(
            label="What",
            choices=[
                ("on", "on by default"),
                ("off", "off by default, without a rollout"),
                ("rollout", "roll out to a share"),
                ("json", "any change, as JSON"),
            ],
        )
    )
    at = narrow(MomentField(label="When, UTC", required=True))
    percentage = only_with(
        forms.DecimalField(
            label="Share in percent", required=False, min_value=0, max_value=100, decimal_places=3
        ),
        "what",
        "rollout",
    )
    change = only_with(
        forms.CharField(
            label="Change",
            required=False,
            max_length=50_000,
            widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
            help_text='The body of a PATCH, like {"defaultEnabled": true}',
        ),
        "what",
        "json",
    )
    field_order = ["what", "at", "percentage", "change", "reason"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("what") == "rollout" and data.get("percentage") is None:
            self.add_error("percentage", "Say how many percent.")
        return data


class ScheduleChange(OfFlag):
    name: ClassVar[str] = "schedule"
    title: ClassVar[str] = "Schedule a change"
    icon: ClassVar[str] = "schedule"
    submit: ClassVar[str] = "Schedule it"
    form_class: ClassVar[type[forms.Form]] = ScheduleForm

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "A worker makes it at its time, once, in your name. It is checked now, and again then."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        return changed(
            "schedule",
            "The change is scheduled.",
            actor=actor,
            key=target.key,
            reason=data["reason"],
            at=data["at"],
            change=_change(target, data),
        )


def _change(flag: Flag, data: Mapping[str, Any]) -> dict[str, Any]:
    if data["what"] == "on":
        return {"defaultEnabled": True}
    if data["what"] == "off":
        return {"defaultEnabled": False, "rollout": None}
    if data["what"] == "rollout":
        key = (flag.rollout or {}).get("contextKey")
        share: dict[str, Any] = {"percentage": float(data["percentage"])}
        return {"rollout": {**share, "contextKey": key} if key else share}
    return patches.patch(data["change"], "change")


class CancelScheduled(Chosen):
    name: ClassVar[str] = "cancel-scheduled"
    title: ClassVar[str] = "Cancel a scheduled change"
    icon: ClassVar[str] = "event_busy"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Cancel the change"
    dismiss: ClassVar[str] = "Keep it"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "It will not be made; it stays in the list as cancelled."

    def available(self, target: Any) -> bool:
        return bool(target.schedule.filter(status=ScheduleStatus.PENDING).exists())

    def choices(self, target: Flag, seen: Seen) -> list[tuple[str, str]]:
        rows = selectors.schedule_of(seen.principal, key=target.key).filter(status=ScheduleStatus.PENDING)
        return [
            (row.public_id, f"{row.at:%Y-%m-%d %H:%M} UTC: {', '.join(row.change)}") for row in rows[:OFFERED]
        ]

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        return changed(
            "cancel",
            "The change will not be made.",
            actor=actor,
            key=target.key,
            reason=data["reason"],
            schedule_id=data["row"],
        )
