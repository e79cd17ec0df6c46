"""Answers as bytes. A flag can come to few decisions, so each is written once a snapshot, and the rest is joining.

The views of the service surface, OFREP and the lane in front of Django (apps.flags.lane) all answer from here.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType

import orjson

from apps.flags.engine import Context, Decision, Snapshot
from apps.flags.ofrep import ofrep_body
from apps.flags.shapes import decision_body
from apps.flags.snapshot import holder

# Whole bootstraps are kept for the tenants that were asked for last, in this many bytes.
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON body and its ETag, with the quotes."""

    content: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Kept:
    revision: str
    body: Body


class Written:
    """The answers of one snapshot. Safe to use from many threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        # By identity: the snapshot holds every decision that it can come to for as long as it lives.
        self._decisions: dict[int, bytes] = {}
        self._ofrep: dict[int, bytes] = {}
        self._bootstraps: OrderedDict[str, _Kept] = OrderedDict()
        self._kept_bytes = 0
        self._guard = threading.Lock()

    def decision(self, decision: Decision) -> bytes:
        """`{key, enabled, value, variation, reason}`"""
        found = self._decisions.get(id(decision))
        if found is None:
            found = self._decisions[id(decision)] = orjson.dumps(decision_body(decision))
        return found

    def bootstrap(self, tenant_id: str, *, at: float) -> Body:
        """`{tenantId, revision, flags: […]}`; the ETag changes with every byte of it."""
        revision = self.snapshot.revision_at(at)
        with self._guard:
            kept = self._bootstraps.get(tenant_id)
            if kept is not None and kept.revision == revision:
                self._bootstraps.move_to_end(tenant_id)
                return kept.body
        found = self.snapshot.bootstrap(tenant_id, {}, at=at)
        content = b'{"tenantId":%b,"revision":%b,"flags":[%b]}' % (
            orjson.dumps(tenant_id),
            orjson.dumps(revision),
            b",".join(map(self.decision, found.decisions)),
        )
        body = Body(content, f'"{blake2b(content, digest_size=16).hexdigest()}"')
        self._keep(tenant_id, _Kept(revision, body))
        return body

    def ofrep(self, decision: Decision) -> bytes:
        """`{key, value, reason, variant, metadata}`: OFREP's evaluationSuccess."""
        found = self._ofrep.get(id(decision))
        if found is None:
            found = self._ofrep[id(decision)] = orjson.dumps(ofrep_body(decision))
        return found

    def ofrep_bulk(self, tenant_id: str | None, context: Context, *, at: float) -> bytes:
        """`{flags: […]}`: every flag, in the order of their keys."""
        found = self.snapshot.bootstrap(tenant_id, context, at=at)
        return b'{"flags":[%b]}' % b",".join(map(self.ofrep, found.decisions))

    def ofrep_etag(self, tenant_id: str | None, context: Context, *, at: float) -> str:
        """Of what `ofrep_bulk` answers, without evaluating anything: it covers the revision and the whole context."""
        asked = [self.snapshot.revision_at(at), tenant_id, context]
        try:
            print_ = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # whole numbers of more than 64 bits
            print_ = json.dumps(asked, sort_keys=True).encode()
        return f'"{blake2b(print_, digest_size=16).hexdigest()}"'

    def _keep(self, tenant_id: str, kept: _Kept) -> None:
        with self._guard:
            before = self._bootstraps.pop(tenant_id, None)
            self._bootstraps[tenant_id] = kept
            self._kept_bytes += len(kept.body.content) - (len(before.body.content) if before else 0)
            while self._kept_bytes > _MOST_BYTES and len(self._bootstraps) > 1:
                _, gone = self._bootstraps.popitem(last=False)
                self._kept_bytes -= len(gone.body.content)


class _Latest:
    """The answers of the snapshot in force. Two threads that find it changed may both make them; either will do."""

    def __init__(self) -> None:
        self._written: Written | None = None

    def get(self) -> Written:
        snapshot, found = holder.current(), self._written
        if found is None or found.snapshot is not snapshot:
            found = self._written = Written(snapshot)
        return found


_latest = _Latest()

# Of an answer by a process whose flags may be old (`holder.stale`).
STALE: Mapping[str, str] = MappingProxyType({"X-Flags-Stale": "true"})


def staleness() -> Mapping[str, str]:
    """`STALE`, or no header."""
    return STALE if holder.stale() else {}


def written() -> Written:
    """The answers of this process's snapshot.

    Raises:
        FlagsUnavailable: see apps.flags.snapshot.
    """
    return _latest.get()
