"""Re-seals every registered column under the current master key.

Resumable: a value says itself which key it is sealed under, so a second run passes over what is done. Batches are
transactions of their own, each with its audit row; between them, rows are free for everybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model

from apps.core.principal import Principal
from apps.core.sealing.envelope import (
    SealBroken,
    current_key_id,
    key_id_of,
    reseal,
    reseal_text,
    unarmoured,
)
from apps.core.sealing.registry import SealedColumn, sealed_columns
from apps.core.write import Target, write


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """How many values of a column were looked at and how many were sealed anew; `unread` names those that can't be
    opened, and says why."""

    column: SealedColumn
    seen: int
    resealed: int
    unread: tuple[str, ...] = ()


def reseal_all(*, actor: Principal, batch: int = 500) -> Iterator[ColumnReport]:
    """Walks all registered columns; gives a report after each. A value that can't be opened (its master key is not
    among settings.MASTER_KEYS, or it was changed) keeps no other from being sealed anew."""
    for column in sealed_columns():
        yield _reseal_column(column, actor=actor, batch=batch)


def _reseal_column(column: SealedColumn, *, actor: Principal, batch: int) -> ColumnReport:
    model: type[Model] = apps.get_model(column.model)
    rows = model._default_manager.order_by("pk")  # noqa: SLF001  Django's documented way to any model's manager
    seen = resealed = 0
    unread: list[str] = []
    last: Any = None
    while True:
        after = rows if last is None else rows.filter(pk__gt=last)
        keys = list(after.values_list("pk", flat=True)[:batch])
        if not keys:
            return ColumnReport(column, seen, resealed, tuple(unread))
        last, seen = keys[-1], seen + len(keys)
        old = []
        for pk, value in rows.filter(pk__in=keys).values_list("pk", column.field):
            try:
                if _is_old(column, value):
                    _anew(column, value)
                    old.append(pk)
            except SealBroken as broken:
                unread.append(f"{column} {pk}: {broken.message}")
        if old:
            resealed += _reseal_rows(column, model, old, actor=actor)


def _reseal_rows(column: SealedColumn, model: type[Model], keys: list[Any], *, actor: Principal) -> int:
    done = 0
    with write("master_key.reseal", actor=actor, target=Target(type="master_key", id=current_key_id())) as w:
        rows = model._default_manager.select_for_update().filter(pk__in=keys)  # noqa: SLF001
        for row in rows.order_by("pk"):
            value = getattr(row, column.field)
            if _is_old(column, value):
                setattr(row, column.field, _anew(column, value))
                row.save(update_fields=[column.field])
                done += 1
        w.note(column=str(column), values=done)
    return done


def _is_old(column: SealedColumn, value: Any) -> bool:
    if column.json_key:
        value = value.get(column.json_key) if isinstance(value, dict) else None
    if not value:
        return False
    return key_id_of(unarmoured(value) if isinstance(value, str) else bytes(value)) != current_key_id()


def _anew(column: SealedColumn, value: Any) -> Any:
    if column.json_key:
        return {**value, column.json_key: reseal_text(value[column.json_key], purpose=column.purpose)}
    if isinstance(value, str):
        return reseal_text(value, purpose=column.purpose)
    return reseal(bytes(value), purpose=column.purpose)
