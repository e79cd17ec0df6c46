"""What an operator does to the configuration."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow, only_with
from apps.backoffice.seen import Seen
from apps.configuration import selectors, services
from apps.configuration.enums import KeyType, ValueScope
from apps.configuration.models import ConfigChange, ConfigValue
from apps.configuration.selectors import Overview
from apps.configuration.services import KeyDeclaration
from apps.core import ids
from apps.core.knobs import Knob, Scope, ValueType
from apps.core.principal import Principal

_OFFERED = 100


class _OfKey(Dialog):
    permission: ClassVar[str] = "configuration.write"

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"{self.title}: {target.knob.name}"


def _value_field(knob: Knob[Any], initial: str) -> forms.Field:
    """An input that fits the key; the service decides."""
    help_text = knob.shape.describe()
    if knob.shape.type in {ValueType.CHOICE, ValueType.BOOLEAN}:
        words = knob.shape.choices or ("true", "false")
        return forms.ChoiceField(label="Value", choices=[(word, word) for word in words], initial=initial)
    if knob.secret:
        widget: forms.Widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return forms.CharField(label="Value", widget=widget, strip=False, help_text="secret: kept sealed")
    if knob.shape.type is ValueType.JSON:
        widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
        return forms.CharField(label="Value", widget=widget, initial=initial, help_text=help_text)
    blank = knob.shape.type is ValueType.STRING
    return forms.CharField(
        label="Value", initial=initial, strip=not blank, required=not blank, help_text=help_text
    )


class ValueForm(ReasonForm):
    """The value, for whom, and a note. `version` is that of the platform's value as the reader saw it."""

    def __init__(self, data: Any, *, found: Overview) -> None:
        super().__init__(data)
        known = found.platform
        current = (known.value if known is not None else found.default) or ""
        self.fields["scope"] = narrow(_scope_field(found.knob))
        tenant = forms.CharField(
            label="Tenant id",
            required=False,
            max_length=40,
            widget=forms.TextInput(attrs={"placeholder": "tnt_…"}),
        )
        if Scope.TENANT in found.knob.scopes:
            self.fields["tenantId"] = narrow(only_with(tenant, "scope", ValueScope.TENANT))
        self.fields["value"] = _value_field(found.knob, current)
        note = known.description if known is not None else ""
        self.fields["description"] = forms.CharField(
            label="Note", required=False, max_length=500, initial=note
        )
        version = known.version if known is not None else 0
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, initial=version, required=False)
        order = ["scope", "tenantId", "value", "description", "reason"]
        self.order_fields([name for name in order if name in self.fields])


def _scope_field(knob: Knob[Any]) -> forms.ChoiceField:
    choices = [choice for choice in ValueScope.choices if Scope(choice[0]) in knob.scopes]
    return forms.ChoiceField(label="For", choices=choices)


class SetValue(_OfKey):
    name: ClassVar[str] = "set"
    title: ClassVar[str] = "Set value"
    icon: ClassVar[str] = "edit"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Set it"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "In force in every process within two seconds, without a restart."

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        return ValueForm(data, found=target)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        platform = data["scope"] == ValueScope.PLATFORM
        named = "" if platform else data.get("tenantId") or ""
        tenant_id = ids.parse(ids.TENANT, named) if named else None
        row = services.set_value(
            actor=actor,
            key=target.knob.name,
            value=data["value"],
            scope=data["scope"],
            tenant_id=tenant_id,
            description=data["description"],
            expected_version=data["version"] if platform else None,
            reason=data["reason"],
        )
        return Done(f"{row.key} is set to {row.shown}.")


class _Chosen(_OfKey):
    """Of rows of the key, one is chosen in the dialog."""

    def choices(self, target: Overview, seen: Seen) -> list[tuple[str, str]]:
        raise NotImplementedError

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        form = ReasonForm(data)
        form.fields["row"] = forms.ChoiceField(label="Which one", choices=self.choices(target, seen))
        form.order_fields(["row", "reason"])
        return form


def _place(row: ConfigValue | ConfigChange) -> str:
    return "platform" if row.tenant_id is None else ids.public(ids.TENANT, row.tenant_id)


class ArchiveValue(_Chosen):
    name: ClassVar[str] = "archive"
    title: ClassVar[str] = "Archive value"
    icon: ClassVar[str] = "archive"
    variant: ClassVar[str] = "danger"
    submit: ClassVar[str] = "Archive it"

    def available(self, target: Any) -> bool:
        found: Overview = target
        return found.platform is not None or found.tenants > 0

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return (
            f"It no longer counts: what is below it does, at last the default ({target.default or 'none'})."
        )

    def choices(self, target: Overview, seen: Seen) -> list[tuple[str, str]]:
        rows = selectors.list_values(seen.principal, key_prefix=target.knob.name).filter(key=target.knob.name)
        return [(row.public_id, f"{_place(row)}: {row.shown[:60]}") for row in rows[:_OFFERED]]

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        row = services.archive_value(
            actor=actor, value_id=ids.parse("cfg", data["row"]), reason=data["reason"]
        )
        return Done(f"The value of {row.key} no longer counts.")


class RestoreRevision(_Chosen):
    name: ClassVar[str] = "restore"
    title: ClassVar[str] = "Restore a revision"
    icon: ClassVar[str] = "history"
    submit: ClassVar[str] = "Restore it"

    def available(self, target: Any) -> bool:
        return ConfigChange.objects.filter(key=target.knob.name).exists()

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "What the revision had set is set again, as a new revision; nothing of the history is lost."

    def choices(self, target: Overview, seen: Seen) -> list[tuple[str, str]]:
        rows = selectors.history(seen.principal, key=target.knob.name)[:_OFFERED]
        return [
            (str(row.id), f"{row.changed_at:%Y-%m-%d %H:%M} {_place(row)}: {_short(row.new_shown)}")
            for row in rows
        ]

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        row = services.restore_revision(actor=actor, change_id=data["row"], reason=data["reason"])
        return Done(
            "The revision was restored." if row is not None else "It was not set then, and is not now."
        )


def _short(text: str | None) -> str:
    return "archived" if text is None else text[:60]


class KeyForm(ReasonForm):
    """A declaration; bounds and choices only where the type has them."""

    def __init__(self, data: Any, *, named: bool, initial: KeyDeclaration | None = None) -> None:
        super().__init__(data)
        if named:
            self.fields["name"] = forms.CharField(
                label="Key", max_length=120, help_text="like mail.footer_lines"
            )
        known = initial or KeyDeclaration(type=KeyType.STRING, description="")
        self.fields["description"] = forms.CharField(max_length=500, initial=known.description)
        self.fields["type"] = narrow(forms.ChoiceField(choices=KeyType.choices, initial=known.type))
        self.fields["default"] = narrow(forms.CharField(required=False, initial=known.default or ""))
        numbers = (KeyType.INTEGER, KeyType.NUMBER)
        for field, bound in (("minimum", known.minimum), ("maximum", known.maximum)):
            self.fields[field] = narrow(
                only_with(
                    forms.CharField(required=False, initial=bound or "", max_length=40), "type", *numbers
                )
            )
        words = forms.CharField(
            required=False, initial=", ".join(known.choices), help_text="separated by commas"
        )
        self.fields["choices"] = only_with(words, "type", KeyType.CHOICE)
        for field, label, on in (
            ("tenants_too", "A tenant may have a value of its own", known.tenants_too),
            ("secret", "Secret: sealed in the database, masked wherever it is shown", known.secret),
        ):
            self.fields[field] = forms.BooleanField(label=label, required=False, initial=on)
        order = [name for name in self.fields if name not in {"reason", "name"}]
        self.order_fields(["name", *order, "reason"])


def _declaration(data: dict[str, Any]) -> KeyDeclaration:
    bounded = data["type"] in {KeyType.INTEGER, KeyType.NUMBER}
    words = [word.strip() for word in data["choices"].split(",") if word.strip()]
    return KeyDeclaration(
        type=data["type"],
        description=data["description"],
        default=data["default"] or None,
        minimum=(data["minimum"] or None) if bounded else None,
        maximum=(data["maximum"] or None) if bounded else None,
        choices=tuple(words) if data["type"] == KeyType.CHOICE else (),
        tenants_too=data["tenants_too"],
        secret=data["secret"],
    )


class DeclareKey(Dialog):
    name: ClassVar[str] = "declare"
    title: ClassVar[str] = "Declare a key"
    permission: ClassVar[str] = "configuration.write"
    icon: ClassVar[str] = "add"
    submit: ClassVar[str] = "Declare it"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "Other services can look it up and operators can set it. Steward itself does nothing with it."

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del target, seen
        return KeyForm(data, named=True)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        row = services.declare_key(
            actor=actor, name=data["name"], declaration=_declaration(data), reason=data["reason"]
        )
        return Done(f"{row.name} is declared.")


class _OfOperatorsKey(_OfKey):
    group: ClassVar[str] = "more"

    def available(self, target: Any) -> bool:
        return bool(target.by_operator)


class ChangeKey(_OfOperatorsKey):
    name: ClassVar[str] = "redeclare"
    title: ClassVar[str] = "Change declaration"
    icon: ClassVar[str] = "tune"
    submit: ClassVar[str] = "Save"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "The values that are set must fit the new declaration."

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        knob: Knob[Any] = target.knob
        shape = knob.shape
        known = KeyDeclaration(
            type=shape.type.value,
            description=knob.description,
            default=knob.standard_text(),
            minimum=None if shape.minimum is None else f"{shape.minimum:f}",
            maximum=None if shape.maximum is None else f"{shape.maximum:f}",
            choices=shape.choices,
            tenants_too=Scope.TENANT in knob.scopes,
            secret=knob.secret,
        )
        return KeyForm(data, named=False, initial=known)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        services.redeclare_key(
            actor=actor, name=target.knob.name, declaration=_declaration(data), reason=data["reason"]
        )
        return Done(f"{target.knob.name} was changed.")


class Undeclare(_OfOperatorsKey):
    name: ClassVar[str] = "undeclare"
    title: ClassVar[str] = "Remove key"
    icon: ClassVar[str] = "delete"
    variant: ClassVar[str] = "danger"
    submit: ClassVar[str] = "Remove it"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "Nobody can look it up any longer. Its values must be archived first; its history stays."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        services.undeclare_key(actor=actor, name=target.knob.name, reason=data["reason"])
        return Done(f"{target.knob.name} was removed.", url="/backoffice/configuration/")
