"""One transaction and what leaves with it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.cache import cache as shared_cache
from django.db import DatabaseError, transaction
from django.utils.module_loading import import_string

from apps.core import events, live
from apps.core.clock import now
from apps.core.errors import Unavailable
from apps.core.ids import new_id
from apps.core.jobs.queueing import Order, insert, wake
from apps.core.observability.context import correlation_id, request_id
from apps.core.principal import Principal
from apps.core.write.entries import Entry, Outcome, Recorder, Target


class AuditUnavailable(Unavailable):
    """The trail can't take the row; the change was rolled back."""

    code = "AUDIT_UNAVAILABLE"
    message = "The audit trail can't be written; nothing was changed."


@dataclass(slots=True)
class Unit:
    """What has been staged in this transaction."""

    entries: list[Entry] = field(default_factory=list)
    orders: list[tuple[Order, Principal]] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    before_audit: list[Callable[[], None]] = field(default_factory=list)

    def discard(self) -> None:
        """Forgets what was staged: its savepoint was rolled back."""
        self.entries.clear()
        self.orders.clear()
        self.topics.clear()


_unit: ContextVar[Unit | None] = ContextVar("unit", default=None)
_write: ContextVar["Write | None"] = ContextVar("write", default=None)


def current_unit() -> Unit | None:
    return _unit.get()


@contextmanager
def unit(*, dry_run: bool = False) -> Iterator[Unit]:
    """One durable transaction. A request opens it, so that its stored answer commits with its effects.

    Args:
        dry_run: runs everything and rolls back (`?validate_only=true`).

    Raises:
        RuntimeError: inside another unit, or inside a transaction that somebody else opened.
        AuditUnavailable: the trail refused; everything was rolled back.
    """
    if _unit.get() is not None:
        raise RuntimeError("a unit can't stand inside another")
    staged = Unit()
    token = _unit.set(staged)
    try:
        with transaction.atomic(durable=True):
            yield staged
            _flush(staged)
            if dry_run:
                transaction.set_rollback(True)
    finally:
        _unit.reset(token)


def _flush(staged: Unit) -> None:
    for order, actor in staged.orders:
        rows = insert([order], actor=actor, request_id=request_id())
        if rows and order.is_due:
            transaction.on_commit(lambda rows=rows: wake(rows))  # type: ignore[misc]  # binds this turn's rows
    live.bump(sorted(staged.topics))
    for step in staged.before_audit:
        step()
    if staged.entries:
        try:
            _recorder()(staged.entries)
        except DatabaseError as refused:
            raise AuditUnavailable from refused


@cache
def _recorder() -> Recorder:
    return cast("Recorder", import_string(settings.AUDIT_RECORDER))


@dataclass(slots=True)
class Write:
    """One named change under way."""

    entry: Entry
    staged: Unit

    def changed(self, *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None) -> None:
        """What stood there and what stands now: JSON values, no secret."""
        self.entry.before.update(before or {})
        self.entry.after.update(after or {})

    def note(self, **metadata: Any) -> None:
        """Facts beside the change; JSON values, neither secret nor personal."""
        self.entry.metadata.update(metadata)

    def on(self, target: Target) -> None:
        """Names the target once it exists (a creation)."""
        self.entry.target = target

    def publish(self, event: str, **payload: Any) -> None:
        """Tells those who subscribed, after commit (apps.core.events)."""
        for order in events.orders_for(event, payload, event_id=str(new_id())):
            self.staged.orders.append((order, self.entry.actor))

    def enqueue(
        self,
        job: str,
        *,
        unique_key: str | None = None,
        run_at: datetime | None = None,
        tenant_id: UUID | None = None,
        **args: Any,
    ) -> None:
        """Asks for a job, by name, with JSON arguments (ids). An existing `unique_key` is asked for once."""
        order = Order(name=job, args=args, unique_key=unique_key, run_at=run_at, tenant_id=tenant_id)
        self.staged.orders.append((order, self.entry.actor))

    def touch(self, *topics: str) -> None:
        """Raises the revision of live topics with this write."""
        self.staged.topics.update(topics)


@contextmanager
def write(
    action: str, *, actor: Principal, target: Target, reason: str = "", metadata: dict[str, Any] | None = None
) -> Iterator[Write]:
    """Changes something under the name `action` (`tenant.suspend`), see the package's docstring.

    Raises:
        AuditUnavailable: the trail refused; everything was rolled back.
    """
    outer = _write.get()
    if outer is not None:
        # Joins: its effects leave with the outer write, whose name stands in the trail.
        with _savepoint(outer):
            yield outer
        return
    if _unit.get() is None:
        with unit(), write(action, actor=actor, target=target, reason=reason, metadata=metadata) as inner:
            yield inner
        return
    staged = cast("Unit", _unit.get())
    entry = Entry(
        at=now(),
        actor=actor,
        action=action,
        target=target,
        reason=reason,
        metadata=dict(metadata or {}),
        request_id=request_id(),
        correlation_id=correlation_id(),
    )
    this = Write(entry=entry, staged=staged)
    token = _write.set(this)
    try:
        with _savepoint(this):
            yield this
        staged.entries.append(entry)
    finally:
        _write.reset(token)


@contextmanager
def _savepoint(this: Write) -> Iterator[None]:
    """When the inside fails, what it staged and what it told of itself is forgotten with its changes."""
    staged, entry = this.staged, this.entry
    orders, topics = len(staged.orders), set(staged.topics)
    told = (entry.target, dict(entry.before), dict(entry.after), dict(entry.metadata))
    try:
        with transaction.atomic():
            yield
    except BaseException:
        del staged.orders[orders:]
        staged.topics = topics
        entry.target, entry.before, entry.after, entry.metadata = told
        raise


def record_denied(action: str, *, actor: Principal, target: Target, reason: str = "") -> None:
    """Puts a refused attempt into the trail, at most one a minute for each principal and action.

    Without the cache every refusal is recorded: better too many rows than none. Inside a unit it does nothing, since
    the refusal rolls that back: the door records it afterwards.
    """
    if _unit.get() is not None:
        return
    try:
        first = shared_cache.add(f"denied:{actor.id}:{action}", 1, timeout=60)
    except Exception:  # noqa: BLE001  the cache's clients raise many kinds; each means "it is away"
        first = True
    if not first:
        return
    with unit() as staged:
        staged.entries.append(
            Entry(
                at=now(),
                actor=actor,
                action=action,
                target=target,
                reason=reason,
                outcome=Outcome.DENIED,
                request_id=request_id(),
                correlation_id=correlation_id(),
            )
        )
