"""Takes an erased person out of every column of every table: texts, JSON, arrays, and what is sealed.

The last step of an erasure, for what no key leads to: payloads of jobs, stored answers, waiting mails, reasons that
somebody wrote elsewhere. It reads whole tables and so runs in a job, in batches that are transactions of their own;
killed anywhere, it begins anew and finds less.
"""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Field, JSONField, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.options import Options

from apps.core.erasing.traces import Traces
from apps.core.errors import Unprocessable
from apps.core.principal import Principal
from apps.core.sealing import (
    SealBroken,
    SealedColumn,
    open_sealed,
    open_text,
    seal,
    seal_text,
    sealed_columns,
)
from apps.core.write import Target, Write, write

_BATCH = 500
_WINDOW = 20_000
# The owner's tables: the application may not change them (apps.audit has a way of its own).
_NOT_OURS = frozenset({"audit"})

# So many of the values that can't be opened are named.
_NAMED = 5

_remembered: dict[str, str] = {}


class SealedUnread(Unprocessable):
    """Sealed values can't be opened, so nobody knows whether the person is in them: a person must give their master key
    back, or remove the rows. `details["values"]` names the first ones."""

    code = "SEALED_UNREAD"
    message = "Sealed values can't be opened."


def register_remembered(topic: str, *models: str) -> None:
    """Names tables that processes keep in memory until the topic is raised (apps.core.live): a sweep that changes one
    of their rows raises it, or they would keep what was swept.

    Args:
        models: as `app_label.ModelName`.
    """
    _remembered.update(dict.fromkeys(models, topic))


def sweep_columns(traces: Traces, actor: Principal) -> int:
    """Takes the person out of every column that is not sealed; answers how many rows were changed."""
    changed = 0
    for model in sorted(apps.get_models(), key=lambda each: _options(each).label):
        options = _options(model)
        if options.app_label in _NOT_OURS or options.proxy or not options.managed:
            continue
        names = [field.name for field in options.concrete_fields if _holds_text(field)]
        if names:
            changed += _sweep_plain(model, names, traces, actor)
    return changed


def sweep_sealed(traces: Traces, actor: Principal) -> int:
    """Takes the person out of what is sealed; answers how many rows were changed.

    Raises:
        SealedUnread: of all others the person was taken out.
    """
    changed = 0
    unread: list[str] = []
    for column in sealed_columns():
        if column.swept:
            changed += _sweep_sealed(column, traces, actor, unread)
    if unread:
        named = ", ".join(unread[:_NAMED]) + (", …" if len(unread) > _NAMED else "")
        sentence = f"Sealed values that can't be opened: {len(unread)} ({named})."
        raise SealedUnread(sentence, details={"values": unread[:_NAMED]})
    return changed


def _rows(model: type[Model]) -> "QuerySet[Any]":
    return model._default_manager.all()  # noqa: SLF001  Django's documented way to any model's manager


def _options(model: type[Model]) -> "Options[Any]":
    return model._meta  # noqa: SLF001  Django's documented way to a model's fields


def _holds_text(field: "Field[Any, Any]") -> bool:
    """Choices and keys are words of ours; what is unique is a key too, or the address of somebody who came since."""
    if field.choices or field.unique:
        return False
    if isinstance(field, ArrayField):
        return isinstance(field.base_field, CharField | TextField)
    return isinstance(field, CharField | TextField | JSONField)


def _sweep_plain(model: type[Model], names: list[str], traces: Traces, actor: Principal) -> int:
    told = {f"text_of_{name}": Cast(name, TextField()) for name in names}
    found = reduce(
        or_, (Q(**{f"{told_name}__icontains": needle}) for told_name in told for needle in traces.needles)
    )
    done = 0
    for window in _windows(_rows(model)):
        keys = list(window.annotate(**told).filter(found).values_list("pk", flat=True))
        for start in range(0, len(keys), _BATCH):
            done += _clean(model, names, keys[start : start + _BATCH], traces, actor)
    return done


def _clean(model: type[Model], names: list[str], keys: list[Any], traces: Traces, actor: Principal) -> int:
    rows = _rows(model).filter(pk__in=keys).order_by("pk")
    if not any(_cleaned(row, names, traces) for row in rows):
        return 0
    done = 0
    with write("user.erase_mentions", actor=actor, target=_target(traces)) as w:
        for row in rows.select_for_update(of=("self",)):
            cleaned = _cleaned(row, names, traces)
            if cleaned:
                done += _rows(model).filter(pk=row.pk).update(**cleaned)
        _tell(w, _options(model).label, done)
    return done


def _tell(w: Write, table: str, rows: int) -> None:
    w.note(table=table, rows=rows)
    if table in _remembered:
        w.touch(_remembered[table])


def _cleaned(row: Model, names: list[str], traces: Traces) -> dict[str, Any]:
    """The columns that change, with what they become."""
    found = {}
    for name in names:
        value = getattr(row, name)
        if value is None:
            continue
        cleaned = traces.without(value) if isinstance(value, str) else traces.without_in(value)
        if cleaned != value:
            found[name] = _fitting(_options(type(row)).get_field(name), cleaned)
    return found


def _fitting(field: Any, value: Any) -> Any:
    """Cut to the column: what stands in the person's place may be longer than what stood there."""
    if isinstance(field, ArrayField):
        return [_fitting(field.base_field, each) for each in value]
    return value[: field.max_length] if isinstance(field, CharField) else value


def _sweep_sealed(column: SealedColumn, traces: Traces, actor: Principal, unread: list[str]) -> int:
    model: type[Model] = apps.get_model(column.model)
    rows = _rows(model).exclude(**{column.field: None})
    if column.json_key:
        rows = rows.filter(**{f"{column.field}__has_key": column.json_key})
    done = 0
    for batch in _batches(rows.order_by("pk").values_list("pk", flat=True)):
        wanted = []
        for key, value in rows.filter(pk__in=batch).values_list("pk", column.field):
            try:
                if _without(column, value, traces) is not None:
                    wanted.append(key)
            except SealBroken:
                unread.append(f"{column} {key}")
        if not wanted:
            continue
        with write("user.erase_mentions", actor=actor, target=_target(traces)) as w:
            for row in rows.filter(pk__in=wanted).select_for_update(of=("self",)).order_by("pk"):
                anew = _without(column, getattr(row, column.field), traces)
                if anew is not None:
                    done += rows.filter(pk=row.pk).update(**{column.field: anew})
            _tell(w, column.model, len(wanted))
    return done


def _without(column: SealedColumn, value: Any, traces: Traces) -> Any:
    """The column's new value; None where the person is not in it."""
    inner = value.get(column.json_key) if column.json_key and isinstance(value, dict) else value
    if not inner:
        return None
    if isinstance(inner, str):
        plain = open_text(inner, purpose=column.purpose)
        cleaned = traces.without(plain)
        anew: Any = seal_text(cleaned, purpose=column.purpose)
    else:
        plain = open_sealed(bytes(inner), purpose=column.purpose).decode(errors="surrogateescape")
        cleaned = traces.without(plain)
        anew = seal(cleaned.encode(errors="surrogateescape"), purpose=column.purpose)
    if cleaned == plain:
        return None
    return {**value, column.json_key: anew} if column.json_key else anew


def _windows(rows: "QuerySet[Any]") -> "Iterator[QuerySet[Any]]":
    """The table in pieces, so that no statement reads all of it: those that take too long are ended."""
    rows = rows.order_by("pk")
    while True:
        bound = next(iter(rows.values_list("pk", flat=True)[_WINDOW - 1 : _WINDOW]), None)
        if bound is None:
            yield rows
            return
        yield rows.filter(pk__lte=bound)
        rows = rows.filter(pk__gt=bound)


def _batches(keys: "QuerySet[Any, Any]") -> Iterator[list[Any]]:
    """Keys in batches, after the last one that was read: what changes meanwhile moves nothing."""
    last: Any = None
    while True:
        batch = list((keys if last is None else keys.filter(pk__gt=last))[:_BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1]


def _target(traces: Traces) -> Target:
    return Target(type="user", id=traces.public_id, person_id=traces.person_id)
