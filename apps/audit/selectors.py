"""Reads of the trail.

Who reads personal data masked searches and filters by what is not personal alone: otherwise the answer's length would
tell what the mask hides.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Exists, Func, JSONField, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from apps.audit.enums import Part
from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.core.errors import Invalid
from apps.core.write import Outcome

_BATCH = 500
_ONE_LOOK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TrailFilters:
    """What is looked for; None: whatever.

    Attributes:
        start_time, end_time: both inclusive.
        action_type: an action (`user.suspend`) or a family of them (`user`).
        ip_address: from where, exactly.
        search: words that stand in action, resource, reason, before, after or the actor's e-mail address.
    """

    start_time: datetime | None = None
    end_time: datetime | None = None
    action_type: str | None = None
    ip_address: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class TrailRow:
    """An entry with its personal details; empty where they were shredded."""

    entry: AuditEntry
    label: str = ""
    address: str | None = None
    reason: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def entries_of_person(person_id: UUID, public_id: str) -> QuerySet[AuditEntry]:
    """What a person did, and what was done to them, newest first."""
    own = Q(actor_id=public_id) | Q(person_id=person_id)
    return AuditEntry.objects.filter(own).order_by("-at", "-id")


def entries_of_tenant(tenant_id: UUID) -> QuerySet[AuditEntry]:
    """What happened to a tenant, newest first."""
    return AuditEntry.objects.filter(tenant_id=tenant_id).order_by("-at", "-id")


def entries_of_resource(resource_type: str, resource_id: str) -> QuerySet[AuditEntry]:
    """What happened to one resource, newest first."""
    found = AuditEntry.objects.filter(resource_type=resource_type, resource_id=resource_id)
    return found.order_by("-at", "-id")


def has_looked(actor_id: str, action: str, resource_id: str) -> bool:
    """True where the caller's look at the same thing stands in the trail, not older than ten minutes."""
    own = AuditEntry.objects.filter(actor_id=actor_id, action=action, resource_id=resource_id)
    return own.filter(at__gte=now() - _ONE_LOOK, outcome=Outcome.SUCCESS.value).exists()


def filtered(entries: QuerySet[AuditEntry], filters: TrailFilters, *, masked: bool) -> QuerySet[AuditEntry]:
    """The entries that fit.

    Args:
        masked: the reader sees personal data masked.

    Raises:
        Invalid: a masked reader filters by address.
    """
    if filters.start_time is not None:
        entries = entries.filter(at__gte=filters.start_time)
    if filters.end_time is not None:
        entries = entries.filter(at__lte=filters.end_time)
    if filters.action_type:
        family = f"{filters.action_type.rstrip('.')}."
        entries = entries.filter(Q(action=filters.action_type) | Q(action__startswith=family))
    if filters.ip_address:
        if masked:
            sentence = "Your role reads addresses masked and can't look for one."
            raise Invalid(details={"ip_address": [sentence]})
        entries = entries.filter(_from_address(filters.ip_address))
    if filters.search:
        entries = entries.filter(_said(filters.search, masked=masked))
    return entries


def _from_address(address: str) -> Exists:
    """By text, which an index knows, and then exactly."""
    own = AuditDetail.objects.filter(
        entry=OuterRef("pk"), part=Part.ACTOR, body__contains=json.dumps(address)
    )
    told = KeyTextTransform("address", Cast("body", JSONField()))
    return Exists(own.annotate(told=told).filter(told=address))


def _said(search: str, *, masked: bool) -> Q:
    found = (
        Q(action__icontains=search) | Q(resource_type__icontains=search) | Q(resource_id__icontains=search)
    )
    return found if masked else found | Q(_in_details(search))


class _PathExists(Func):
    """`jsonb_path_exists(body::jsonb, path)`."""

    function = "jsonb_path_exists"
    template = "%(function)s(%(expressions)s::jsonpath)"
    output_field = BooleanField()


def _in_details(search: str) -> Exists:
    """Details in which a value holds the words: by text, which an index knows, and then without the keys."""
    words = json.dumps(search, ensure_ascii=False)
    path = f'strict $.** ? (@.type() == "string" && @ like_regex {words} flag "iq")'
    own = AuditDetail.objects.filter(entry=OuterRef("pk"), body__icontains=words[1:-1])
    return Exists(own.filter(_PathExists(Cast("body", JSONField()), Value(path))))


def rows(entries: Sequence[AuditEntry]) -> list[TrailRow]:
    """The entries with their details: one query more, whatever their number."""
    details: dict[tuple[UUID, str], dict[str, Any]] = {}
    for detail in AuditDetail.objects.filter(entry_id__in=[entry.pk for entry in entries]):
        details[detail.entry_id, detail.part] = json.loads(detail.body)
    return [_row(entry, details) for entry in entries]


def _row(entry: AuditEntry, details: dict[tuple[UUID, str], dict[str, Any]]) -> TrailRow:
    actor = details.get((entry.pk, Part.ACTOR), {})
    subject = details.get((entry.pk, Part.SUBJECT), {})
    return TrailRow(
        entry=entry,
        label=actor.get("label") or "",
        address=actor.get("address"),
        reason=subject.get("reason") or "",
        before=subject.get("before") or {},
        after=subject.get("after") or {},
    )


def streamed(entries: QuerySet[AuditEntry]) -> Iterator[TrailRow]:
    """All of them, a few hundred at a time in memory."""
    found = entries.iterator(chunk_size=_BATCH)
    while batch := list(islice(found, _BATCH)):
        yield from rows(batch)
