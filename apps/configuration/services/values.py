"""Setting, archiving and restoring values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from apps.configuration.enums import ValueScope
from apps.configuration.errors import ConfigNotFound, KeyUnknown, RevisionGone, TenantUnknown, ValueInvalid
from apps.configuration.models import (
    MASK,
    ConfigChange,
    ConfigValue,
    Sealed,
    audit_target,
    declaration_lock,
    opened_text,
    sealed_text,
)
from apps.configuration.querysets import live_at
from apps.configuration.selectors import known_knob
from apps.configuration.snapshot import TOPIC, store
from apps.core import knobs
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.knobs import Knob, Scope, ValueWrong
from apps.core.principal import Principal
from apps.core.write import Target, Write, write

_LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: the platform's place for a key, or a tenant's."""

    key: str
    scope: ValueScope
    tenant_id: UUID | None


def set_value(
    *,
    actor: Principal,
    key: str,
    value: str,
    scope: str = ValueScope.PLATFORM,
    tenant_id: UUID | None = None,
    description: str | None = None,
    expected_version: int | None = None,
    reason: str = "",
) -> ConfigValue:
    """Sets a key, for the platform or for one tenant; in force everywhere within 2 s.

    Args:
        value: text; kept in its canonical spelling.
        description: a note on the value; None leaves it as it is.
        expected_version: `If-Match`; 0 where no value may stand yet.

    Raises:
        KeyUnknown: nobody declared the key.
        ValueInvalid: the value, the scope or the description does not fit.
        TenantUnknown: there is no such tenant.
        PreconditionFailed: another version stands; `details["current"]` (0: none).
    """
    if description is not None and len(description) > _LONGEST_DESCRIPTION:
        raise ValueInvalid("description", f"At most {_LONGEST_DESCRIPTION} characters.")
    with write("configuration.set", actor=actor, target=audit_target(key, tenant_id), reason=reason) as w:
        knob = _held_knob(key)
        place = _place(knob, scope, tenant_id)
        text = _canonical(knob, value)
        row = _locked(place)
        _require(row, expected_version)
        return _put(
            w, place, row, text, secret=knob.secret, description=description, actor=actor, reason=reason
        )


def set_values(*, actor: Principal, values: Mapping[str, str], reason: str = "") -> list[ConfigValue]:
    """Sets several keys of the platform in one write: all or none.

    Raises:
        KeyUnknown, ValueInvalid: as `set_value`.
    """
    target = Target(type="configuration", id=",".join(sorted(values))[:200])
    with write("configuration.set", actor=actor, target=target, reason=reason):
        # In sorted order, so that two such writes never wait for each other.
        return [set_value(actor=actor, key=key, value=values[key], reason=reason) for key in sorted(values)]


def archive_value(
    *, actor: Principal, value_id: UUID, expected_version: int | None = None, reason: str = ""
) -> ConfigValue:
    """Takes a value out of force: the next look-up falls back.

    Raises:
        ConfigNotFound: no such value, or archived already.
        PreconditionFailed: another version stands.
    """
    known = ConfigValue.objects.filter(id=value_id, is_archived=False).first()
    if known is None:
        raise ConfigNotFound
    place = _Place(known.key, ValueScope(known.scope), known.tenant_id)
    with write("configuration.archive", actor=actor, target=known.audit_target(), reason=reason) as w:
        row = _locked(place)
        if row is None or row.id != value_id:
            raise ConfigNotFound
        _require(row, expected_version)
        return _archive(w, row, actor=actor, reason=reason)


def restore_revision(
    *, actor: Principal, change_id: UUID, expected_version: int | None = None, reason: str = ""
) -> ConfigValue | None:
    """Brings back what a revision had set, as a new revision; None where it had archived the value.

    Raises:
        ConfigNotFound: no such revision.
        RevisionGone: its key is gone, became (or was) a secret, or the value is no longer allowed.
        PreconditionFailed: another version stands.
    """
    change = ConfigChange.objects.filter(id=change_id).first()
    if change is None:
        raise ConfigNotFound
    target = audit_target(change.key, change.tenant_id)
    with write("configuration.restore", actor=actor, target=target, reason=reason) as w:
        try:
            knob = _held_knob(change.key)
            place = _place(knob, change.scope, change.tenant_id)
        except (KeyUnknown, ValueInvalid) as gone:
            raise RevisionGone(f"The key {change.key!r} is gone, or can't be set there any longer.") from gone
        row = _locked(place)
        _require(row, expected_version)
        w.note(restored_version=change.version)
        if change.new_value is None and change.new_sealed is None:
            return None if row is None else _archive(w, row, actor=actor, reason=reason, source=change)
        if knob.secret != (change.new_sealed is not None):
            raise RevisionGone("The key was declared secret, or no longer is, since that revision.")
        try:
            text = knob.shape.canonical(opened_text(change.new_sealed) or change.new_value or "")
        except ValueWrong as wrong:
            raise RevisionGone(f"The value of that revision is no longer allowed: {wrong}") from None
        return _put(
            w,
            place,
            row,
            text,
            secret=knob.secret,
            description=None,
            actor=actor,
            reason=reason,
            source=change,
        )


def remove_tenant(tenant_id: UUID, actor: Principal) -> int:
    """Removes all that is set for a tenant, its history too (purge). Safe to run twice."""
    with write("configuration.remove_tenant", actor=actor, target=audit_target("*", tenant_id)) as w:
        gone = ConfigChange.objects.filter(tenant_id=tenant_id).delete()[0]
        gone += ConfigValue.objects.filter(tenant_id=tenant_id).delete()[0]
        w.note(rows=gone)
        w.touch(TOPIC)
    return gone


def _held_knob(key: str) -> Knob[Any]:
    """The declaration of a key; an operator's can't change until the transaction ends.

    Raises:
        KeyUnknown: nobody declared it.
    """
    if knobs.find(key) is None and knobs.is_name(key):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [declaration_lock(key)]
            )
    knob = known_knob(key)
    if knob is None:
        raise KeyUnknown(key)
    return knob


def _place(knob: Knob[Any], scope: str, tenant_id: UUID | None) -> _Place:
    if scope not in ValueScope.values:
        raise ValueInvalid("scope", f"The scope is one of {', '.join(ValueScope.values)}.")
    if scope == ValueScope.TENANT and tenant_id is None:
        raise ValueInvalid("tenantId", "A TENANT value needs a tenantId.")
    if scope == ValueScope.PLATFORM and tenant_id is not None:
        raise ValueInvalid("tenantId", "A PLATFORM value has no tenantId.")
    if Scope(scope) not in knob.scopes:
        raise ValueInvalid("scope", f"{knob.name} can't be set for a {scope.lower()}.")
    return _Place(knob.name, ValueScope(scope), tenant_id)


def _canonical(knob: Knob[Any], value: str) -> str:
    try:
        return knob.shape.canonical(value)
    except ValueWrong as wrong:
        raise ValueInvalid("value", str(wrong)) from None


def _locked(place: _Place) -> ConfigValue | None:
    """The live row of a place, which nobody else can change or create until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"configuration:{place.key}:{place.scope}:{place.tenant_id}"],
        )
    if place.tenant_id is not None and not _tenant_held(place.tenant_id):
        raise TenantUnknown
    return live_at(place.key, place.scope, place.tenant_id).select_for_update().first()


def _tenant_held(tenant_id: UUID) -> bool:
    """True where the tenant exists; it then can't be purged until the transaction ends."""
    return bool(import_string(settings.TENANT_HOLDER)(tenant_id))


def _require(row: ConfigValue | None, expected_version: int | None) -> None:
    current = 0 if row is None else row.version
    if expected_version is not None and expected_version != current:
        raise PreconditionFailed(details={"current": current})


def _text_of(row: ConfigValue | None) -> str | None:
    if row is None:
        return None
    return opened_text(row.sealed) if row.is_secret else row.value


def _put(
    w: Write,
    place: _Place,
    row: ConfigValue | None,
    text: str,
    *,
    secret: bool,
    description: str | None,
    actor: Principal,
    reason: str,
    source: ConfigChange | None = None,
) -> ConfigValue:
    old = _text_of(row)
    same_note = row is None or description is None or description == row.description
    if row is not None and old == text and row.is_secret == secret and same_note:
        w.note(unchanged=True)
        return row
    old_sealed, old_value = (None, None) if row is None else (row.sealed, row.value)
    if row is None:
        row = ConfigValue(key=place.key, scope=place.scope, tenant_id=place.tenant_id, version=0)
    before = None if old is None else row.shown
    row.value, row.sealed = (None, sealed_text(text)) if secret else (text, None)
    row.version += 1
    row.description = row.description if description is None else description
    row.updated_at = now()
    row.save()
    _record(w, row, old_value, old_sealed, actor=actor, reason=reason, source=source)
    w.changed(before={place.key: before}, after={place.key: MASK if secret else text})
    return row


def _archive(
    w: Write, row: ConfigValue, *, actor: Principal, reason: str, source: ConfigChange | None = None
) -> ConfigValue:
    row.is_archived, row.version, row.updated_at = True, row.version + 1, now()
    row.save(update_fields=["is_archived", "version", "updated_at"])
    _record(w, row, row.value, row.sealed, actor=actor, reason=reason, source=source)
    w.changed(before={row.key: row.shown}, after={row.key: None})
    return row


def _record(
    w: Write,
    row: ConfigValue,
    old_value: str | None,
    old_sealed: Sealed | None,
    *,
    actor: Principal,
    reason: str,
    source: ConfigChange | None,
) -> None:
    """The revision, and the word to every process; our own hears it right after commit."""
    ConfigChange.objects.create(
        key=row.key,
        scope=row.scope,
        tenant_id=row.tenant_id,
        changed_by=actor.id[:200],
        reason=reason[:500],
        version=row.version,
        old_value=old_value,
        old_sealed=old_sealed,
        new_value=None if row.is_archived else row.value,
        new_sealed=None if row.is_archived else row.sealed,
        restored_from=source,
    )
    w.touch(TOPIC)
    transaction.on_commit(store.refresh_quietly)
