"""Keys that operators declare."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import connection

from apps.configuration.errors import ConfigNotFound, KeyInUse, KeyInvalid, KeyTaken
from apps.configuration.models import (
    ConfigValue,
    DeclaredKey,
    audit_target,
    declaration_lock,
    declared_knob,
    opened_text,
)
from apps.configuration.snapshot import TOPIC
from apps.core import knobs
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.knobs import Knob, ValueType, ValueWrong, is_name
from apps.core.principal import Principal
from apps.core.write import write

_BOUNDED = {ValueType.INTEGER, ValueType.NUMBER}
_LIMIT = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class KeyDeclaration:
    """What an operator says about a key. Bounds are of integers and numbers, choices of a choice."""

    type: str
    description: str
    default: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    choices: tuple[str, ...] = ()
    tenants_too: bool = False
    secret: bool = False


def declare_key(*, actor: Principal, name: str, declaration: KeyDeclaration, reason: str = "") -> DeclaredKey:
    """Adds a key to the catalogue.

    Raises:
        KeyInvalid: the name or the declaration makes no sense.
        KeyTaken: code or an operator declares it already.
    """
    if not is_name(name):
        raise KeyInvalid(
            "name", "A key is dotted words of lower-case letters, digits and _, like mail.footer."
        )
    columns = _columns(name, declaration)
    if knobs.find(name) is not None:
        raise KeyTaken
    with write("configuration.declare", actor=actor, target=audit_target(name, None), reason=reason) as w:
        _lock(name)
        if DeclaredKey.objects.filter(name=name).exists():
            raise KeyTaken
        row = DeclaredKey.objects.create(name=name, **columns)
        w.changed(after=_facts(row))
        w.touch(TOPIC)
    return row


def redeclare_key(
    *,
    actor: Principal,
    name: str,
    declaration: KeyDeclaration,
    expected_version: int | None = None,
    reason: str = "",
) -> DeclaredKey:
    """Changes the declaration of an operator's key; the values that are set must fit the new one.

    Raises:
        ConfigNotFound: no operator declared it.
        KeyInvalid: the declaration makes no sense.
        KeyInUse: values don't fit, or the key would become secret (or no longer be) while it has values.
        PreconditionFailed: another version stands.
    """
    columns = _columns(name, declaration)
    with write("configuration.redeclare", actor=actor, target=audit_target(name, None), reason=reason) as w:
        _lock(name)
        row = DeclaredKey.objects.select_for_update().filter(name=name).first()
        if row is None:
            raise ConfigNotFound("No operator declared this key.")
        if expected_version is not None and expected_version != row.version:
            raise PreconditionFailed(details={"current": row.version})
        before = _facts(row)
        for column, value in columns.items():
            setattr(row, column, value)
        unfit = [value for value in _live_values(name) if not _fits(row.knob(), value)]
        if unfit:
            raise KeyInUse("Values that are set don't fit this declaration.", details={"values": len(unfit)})
        row.version += 1
        row.updated_at = now()
        row.save()
        w.changed(before=before, after=_facts(row))
        w.touch(TOPIC)
    return row


def undeclare_key(*, actor: Principal, name: str, reason: str = "") -> None:
    """Takes an operator's key out of the catalogue; its history stays.

    Raises:
        ConfigNotFound: no operator declared it.
        KeyInUse: values are set.
    """
    with write("configuration.undeclare", actor=actor, target=audit_target(name, None), reason=reason) as w:
        _lock(name)
        row = DeclaredKey.objects.select_for_update().filter(name=name).first()
        if row is None:
            raise ConfigNotFound("No operator declared this key.")
        values = len(_live_values(name))
        if values:
            raise KeyInUse(details={"values": values})
        w.changed(before=_facts(row))
        row.delete()
        w.touch(TOPIC)


def _columns(name: str, wanted: KeyDeclaration) -> dict[str, Any]:
    """The columns of a declaration that holds together.

    Raises:
        KeyInvalid: it does not.
    """
    if wanted.type not in list(ValueType):
        raise KeyInvalid("type", f"The type is one of {', '.join(ValueType)}.")
    type_ = ValueType(wanted.type)
    if not 1 <= len(wanted.description) <= 500:
        raise KeyInvalid("description", "Say in 1 to 500 characters what the key is for.")
    if type_ not in _BOUNDED and (wanted.minimum or wanted.maximum):
        raise KeyInvalid("minimum", "Only integers and numbers have bounds.")
    if (type_ is ValueType.CHOICE) != bool(wanted.choices):
        raise KeyInvalid("choices", "A choice, and nothing else, has choices.")
    if len(set(wanted.choices)) != len(wanted.choices) or any(
        not 1 <= len(word) <= 200 for word in wanted.choices
    ):
        raise KeyInvalid("choices", "Each choice is there once and has 1 to 200 characters.")
    if wanted.secret and wanted.default is not None:
        raise KeyInvalid("default", "A secret key has no default.")
    minimum, maximum = _bound("minimum", wanted.minimum), _bound("maximum", wanted.maximum)
    if minimum is not None and maximum is not None and minimum > maximum:
        raise KeyInvalid("maximum", "The maximum is below the minimum.")
    columns: dict[str, Any] = {
        "default": wanted.default,
        "minimum": minimum,
        "maximum": maximum,
        "tenants_too": wanted.tenants_too,
        "description": wanted.description,
    }
    try:
        knob = declared_knob(name=name, type_=type_, choices=wanted.choices, secret=wanted.secret, **columns)
        default = None if wanted.default is None else knob.shape.canonical(wanted.default)
    except ValueWrong as wrong:
        raise KeyInvalid("default", str(wrong)) from None
    return {
        **columns,
        "type": type_.value,
        "choices": list(wanted.choices),
        "is_secret": wanted.secret,
        "default": default,
    }


def _bound(field: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise KeyInvalid(field, "A bound is a number.") from None
    # Without arithmetic: `abs` overflows where the exponent is absurd.
    if not number.is_finite() or number.copy_abs() >= _LIMIT or -int(number.as_tuple().exponent) > 15:
        raise KeyInvalid(field, "A bound has at most 15 digits on each side of the point.")
    # A nought keeps its exponent, and would be written out with as many noughts.
    return number or Decimal(0)


def _lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [declaration_lock(name)])


def _live_values(name: str) -> list[ConfigValue]:
    return list(ConfigValue.objects.filter(key=name, is_archived=False))


def _fits(knob: Knob[Any], row: ConfigValue) -> bool:
    if knob.secret != row.is_secret or row.scope not in knob.scopes:
        return False
    try:
        knob.shape.parse((opened_text(row.sealed) if row.is_secret else row.value) or "")
    except ValueWrong:
        return False
    return True


def _facts(row: DeclaredKey) -> dict[str, Any]:
    return {
        "type": row.type,
        "default": row.default,
        "minimum": None if row.minimum is None else str(row.minimum),
        "maximum": None if row.maximum is None else str(row.maximum),
        "choices": list(row.choices),
        "tenants_too": row.tenants_too,
        "is_secret": row.is_secret,
        "description": row.description,
    }
