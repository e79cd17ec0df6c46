"""Reads of flags that join or shape."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypedDict, Unpack
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Upper

from apps.core import ids
from apps.core.clock import now
from apps.core.principal import Principal
from apps.flags import querysets
from apps.flags.enums import StaleReason
from apps.flags.errors import FlagNotFound, ScheduleNotFound
from apps.flags.knobs import STALE_DAYS
from apps.flags.models import SCHEDULE, Flag, FlagChange, FlagUsage, ScheduledChange, Segment, TenantOverride


class FlagFilters(TypedDict, total=False):
    """`search` is a part of key or description; `archived` and `stale` take both sides where they are left out."""

    search: str
    tag: str
    archived: bool
    stale: bool


def list_flags(principal: Principal, **filters: Unpack[FlagFilters]) -> QuerySet[Flag]:
    """Flags by key, each with `overrides_count`."""
    at = now()
    rows = querysets.with_overrides_count(querysets.visible_to(principal), at)
    if search := filters.get("search", ""):
        rows = rows.annotate(upper_key=Upper("key")).filter(
            Q(upper_key__contains=search.upper()) | Q(description__icontains=search)
        )
    if tag := filters.get("tag", ""):
        rows = rows.filter(tags__contains=[tag])
    if "archived" in filters:
        rows = rows.filter(is_archived=filters["archived"])
    if "stale" in filters:
        wanted = querysets.stale(at, STALE_DAYS.get())
        rows = (
            rows.filter(wanted)
            if filters["stale"]
            else rows.exclude(pk__in=Flag.objects.filter(wanted).values("pk"))
        )
    return rows.order_by("key")


def get_flag(principal: Principal, key: str) -> Flag:
    """One flag, with `overrides_count`.

    Raises:
        FlagNotFound: there is none, or the caller may not see it.
    """
    found = querysets.with_overrides_count(querysets.visible_to(principal), now()).filter(key=key).first()
    if found is None:
        raise FlagNotFound
    return found


def history(principal: Principal, *, key: str) -> QuerySet[FlagChange]:
    """Changes of a flag, newest first.

    Raises:
        FlagNotFound
    """
    return FlagChange.objects.filter(flag=_visible(principal, key)).select_related("flag")


def overrides_of_flag(principal: Principal, *, key: str) -> QuerySet[TenantOverride]:
    """Tenants' overrides of a flag, newest first, expired ones too until they are removed.

    Raises:
        FlagNotFound
    """
    return TenantOverride.objects.filter(flag=_visible(principal, key)).select_related("flag").order_by("-id")


def live_flags() -> QuerySet[Flag]:
    """Flags that are in use, by key: what a tenant's own people may know of."""
    return Flag.objects.filter(is_archived=False).order_by("key")


def overrides_of_tenant(tenant_id: UUID) -> QuerySet[TenantOverride]:
    """A tenant's overrides, by flag."""
    return TenantOverride.objects.filter(tenant_id=tenant_id).select_related("flag").order_by("flag__key")


def list_segments(principal: Principal) -> QuerySet[Segment]:
    return querysets.segments_visible_to(principal).order_by("key")


def schedule_of(principal: Principal, *, key: str) -> QuerySet[ScheduledChange]:
    """A flag's scheduled changes, those that are over too, by their time.

    Raises:
        FlagNotFound
    """
    return ScheduledChange.objects.filter(flag=_visible(principal, key)).order_by("at", "id")


def scheduled_change(principal: Principal, *, key: str, public_id: str) -> ScheduledChange:
    """Raises FlagNotFound, ScheduleNotFound."""
    flag, row_id = _visible(principal, key), ids.parse_or_none(SCHEDULE, public_id)
    found = ScheduledChange.objects.filter(flag=flag, id=row_id).first() if row_id else None
    if found is None:
        raise ScheduleNotFound
    return found


def stale_reasons(flags: Sequence[Flag]) -> dict[UUID, list[StaleReason]]:
    """Why each of some flags counts as stale; those that don't are left out. Three queries."""
    at = now()
    since = at - timedelta(days=STALE_DAYS.get())
    rows = Flag.objects.filter(is_archived=False, pk__in=[flag.pk for flag in flags])
    found: dict[UUID, list[StaleReason]] = {}
    for reason, condition in (
        (StaleReason.EXPIRED, querysets.expired(at)),
        (StaleReason.SETTLED, querysets.settled(since)),
        (StaleReason.NOT_EVALUATED, querysets.not_evaluated(since)),
    ):
        for pk in rows.filter(condition).values_list("pk", flat=True):
            found.setdefault(pk, []).append(reason)
    return found


def usage_by_hour(keys: Sequence[str], *, since: datetime) -> Mapping[str, list[tuple[datetime, int]]]:
    """Evaluations an hour of some flags, oldest first; hours without any are left out."""
    rows = (
        FlagUsage.objects.filter(flag__key__in=keys, hour__gte=since)
        .values_list("flag__key", "hour")
        .annotate(total=Sum("count"))
        .order_by("hour")
    )
    found: dict[str, list[tuple[datetime, int]]] = {key: [] for key in keys}
    for key, hour, total in rows:
        found[key].append((hour, total))
    return found


def changed_at(keys: Sequence[str]) -> Mapping[str, datetime]:
    """When each flag changed last."""
    return dict(Flag.objects.filter(key__in=keys).values_list("key", "updated_at"))


def _visible(principal: Principal, key: str) -> Flag:
    found = querysets.visible_to(principal).filter(key=key).first()
    if found is None:
        raise FlagNotFound
    return found
