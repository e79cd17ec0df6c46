"""What is set, as this process knows it: an immutable snapshot, replaced when the revision of the topic grows.

Reading takes no query and no lock. A process loads at its first read and then listens (apps.core.live): a change
elsewhere is here within 2 s, normally within milliseconds. With the database away the last snapshot serves; where
there is none yet, the defaults do, until the database is back.
"""

import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import structlog

from apps.configuration.models import declared_knob, opened_text
from apps.core import knobs, live
from apps.core.knobs import UNSET, Knob, ValueWrong

log = structlog.get_logger(__name__)

TOPIC = "configuration"
_RETRY_SECONDS = 2.0

_DECLARED = (
    'SELECT name, type, "default", minimum, maximum, choices, tenants_too, is_secret, description '
    "FROM configuration_declared_key"
)
_VALUES = "SELECT key, scope, tenant_id, value, sealed FROM configuration_value WHERE NOT is_archived"
_REVISION = "SELECT revision FROM core_live_topic WHERE name = %s"


@dataclass(frozen=True, slots=True)
class Secret:
    """A sealed value: opened by each reader, never kept in clear."""

    sealed: bytes
    knob: Knob[Any]

    def open(self) -> Any:
        """Raises SealBroken: it was changed, or its master key is not there."""
        return self.knob.shape.parse(opened_text(self.sealed) or "")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Values by key; tenants' own beside the platform's. `ignored`: keys with a value or default that can't be read."""

    revision: int = 0
    declared: Mapping[str, Knob[Any]] = field(default_factory=dict)
    platform: Mapping[str, Any] = field(default_factory=dict)
    tenants: Mapping[UUID, Mapping[str, Any]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    def knob(self, name: str) -> Knob[Any] | None:
        """The declaration of a key: code's, else an operator's."""
        return knobs.find(name) or self.declared.get(name)

    def of_tenant(self, name: str, tenant_id: UUID | None) -> Any:
        """The tenant's own value or UNSET; a secret as `Secret`."""
        own = self.tenants.get(tenant_id) if tenant_id is not None else None
        return UNSET if own is None else own.get(name, UNSET)

    def of_platform(self, name: str) -> Any:
        """The platform's value or UNSET; a secret as `Secret`."""
        return self.platform.get(name, UNSET)


class Store:
    """The snapshot of this process; the source of all knobs (apps.core.knobs.provide)."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()
        self._loaded = False
        self._listening = False
        self._subscribed = False
        self._next_try = 0.0
        self._guard = threading.Lock()
        self._starting = threading.Lock()

    def value(self, name: str, tenant_id: UUID | None) -> object:
        """The typed value that is set for the tenant, else for the platform, else UNSET.

        Raises:
            SealBroken: a secret that can't be opened.
        """
        snapshot = self.current()
        found = snapshot.of_tenant(name, tenant_id)
        if found is UNSET:
            found = snapshot.of_platform(name)
        return found.open() if isinstance(found, Secret) else found

    def current(self) -> Snapshot:
        """The snapshot in force. The first call in a process loads it and starts to listen."""
        if not self._listening:
            self._begin()
        return self._snapshot

    @property
    def is_empty(self) -> bool:
        """True where nothing is set and nothing declared by operators, as far as this process knows."""
        known = self._snapshot
        return not (known.platform or known.tenants or known.declared)

    def refresh(self) -> None:
        """Loads what stands in the database now.

        Raises:
            psycopg.Error: the database is away; the snapshot stays as it was.
        """
        with self._guard:
            # One load at a time, so the later is the newer, even where its revision is lower: of a restored database.
            self._snapshot = _load()
            self._loaded = True

    def refresh_quietly(self) -> None:
        """As `refresh`; where the database is away the listener will catch up."""
        try:
            self.refresh()
        except psycopg.Error as away:
            log.warning("configuration_not_loaded", error=type(away).__name__)

    def forget(self) -> None:
        """Empties the snapshot: the next read loads again (after a restore of the database; between tests)."""
        with self._guard:
            self._snapshot = Snapshot()
            self._loaded = self._listening = False
            self._next_try = 0.0

    def after_fork(self) -> None:
        """In a forked child: what was loaded serves on, but nobody listens yet."""
        self._guard = threading.Lock()
        self._starting = threading.Lock()
        self._listening = False
        self._next_try = 0.0

    def _begin(self) -> None:
        # Whoever comes while the first load runs waits for it: a default is no answer where a value is set.
        with self._starting:
            if self._listening or time.monotonic() < self._next_try:
                return
            if not self._loaded:
                self.refresh_quietly()
            if not self._loaded:
                self._next_try = time.monotonic() + _RETRY_SECONDS
                return
            self._listening = True
            if self._subscribed:
                live.listener.start()
            else:
                self._subscribed = True
                live.listener.subscribe(TOPIC, self._heard)

    def _heard(self, _revision: int) -> None:
        # Not compared: after a restore the same number may stand for something else.
        self.refresh()


def _load() -> Snapshot:
    with live.open_link() as link, link.transaction():
        link.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = link.execute(_REVISION, [TOPIC]).fetchone()
        declaring = link.execute(_DECLARED).fetchall()
        values = link.execute(_VALUES).fetchall()
    declared = _declarations(declaring)
    ignored = {name for name, *_ in declaring if name not in declared}
    platform: dict[str, Any] = {}
    tenants: dict[UUID, dict[str, Any]] = {}
    for key, scope, tenant_id, text, sealed in values:
        value = _typed(knobs.find(key) or declared.get(key), scope, text, sealed)
        if value is UNSET:
            log.warning("configuration_value_ignored", key=key, scope=scope)
            ignored.add(key)
        elif tenant_id is None:
            platform[key] = value
        else:
            tenants.setdefault(tenant_id, {})[key] = value
    return Snapshot(row[0] if row else 0, declared, platform, tenants, frozenset(ignored))


def _declarations(rows: Iterable[tuple[Any, ...]]) -> dict[str, Knob[Any]]:
    """By name; without those whose default does not fit: one broken row must not keep all others from being read."""
    found: dict[str, Knob[Any]] = {}
    for row in rows:
        try:
            name, knob = _declaration(row)
        except ValueWrong:
            log.warning("configuration_declaration_ignored", key=row[0])
        else:
            found[name] = knob
    return found


def _declaration(row: tuple[Any, ...]) -> tuple[str, Knob[Any]]:
    name, type_, default, minimum, maximum, choices, tenants_too, secret, description = row
    knob = declared_knob(
        name=name,
        type_=type_,
        default=default,
        minimum=minimum,
        maximum=maximum,
        choices=tuple(choices),
        tenants_too=tenants_too,
        secret=secret,
        description=description,
    )
    return name, knob


def _typed(knob: Knob[Any] | None, scope: str, text: str | None, sealed: bytes | None) -> Any:
    """UNSET for what no longer fits its declaration: the next lower value counts."""
    if knob is None or scope not in knob.scopes or knob.secret != (sealed is not None):
        return UNSET
    if sealed is not None:
        return Secret(bytes(sealed), knob)
    try:
        return knob.shape.parse(text or "")
    except ValueWrong:
        return UNSET


store = Store()
os.register_at_fork(after_in_child=store.after_fork)
