"""Who gets what, and who would get something else: counted over the tenants that this process knows."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.flags.engine import Flag, Malformed, Snapshot, read_flag
from apps.flags.errors import FlagsUnavailable
from apps.flags.snapshot import holder
from apps.tenants.enums import TenantStatus

MOST_COUNTED = 5_000  # tenants; beyond, every so-many-th answers for the others
MOST_LISTED = 1_000  # the same for a list of flags: fifty are counted at once
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Share:
    """Of `counted` tenants, `on` get another variation than the off variation; `sampled` where not all were asked."""

    on: int
    counted: int
    sampled: bool

    def __str__(self) -> str:
        if not self.counted:
            return "no tenants"
        percent = 100 * self.on / self.counted
        shown = f"{percent:.0f}" if percent in {0, 100} or 1 <= percent <= 99 else f"{percent:.1f}"
        return f"{'about ' if self.sampled else ''}{shown} %"


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change would come to.

    Attributes:
        changed, counted: so many of so many tenants would get something else.
        moves: (variation now, variation then, how many), most first.
        examples: ids of some of those tenants.
        by_context: rules look at what callers send, too: counted is who gets what without it.
        dependents: flags that have this one as their prerequisite, and may change with it.
    """

    changed: int
    counted: int
    sampled: bool
    moves: Sequence[tuple[str, str, int]]
    examples: Sequence[str]
    by_context: bool
    dependents: Sequence[str]


def tenants_of(snapshot: Snapshot, most: int) -> tuple[list[str], bool]:
    """Ids of the tenants in use, or of a sample of them; and whether it is one."""
    known = [key for key in snapshot.tenant_ids() if snapshot.facts(key)["status"] != TenantStatus.CANCELLED]
    step = -(-len(known) // most) or 1
    return sorted(known)[::step], step > 1


class _Counted:
    """Shares of one snapshot at one revision, each counted when it is first asked for."""

    def __init__(self, snapshot: Snapshot, revision: str) -> None:
        self.snapshot, self.revision = snapshot, revision
        self._tenants, self._sampled = tenants_of(snapshot, MOST_LISTED)
        self._found: dict[str, Share | None] = {}

    def of(self, key: str, at: float) -> Share | None:
        if key not in self._found:
            self._found[key] = self._count(key, at)
        return self._found[key]

    def _count(self, key: str, at: float) -> Share | None:
        if key not in self.snapshot or self.snapshot.depends_on_context(key):
            return None
        decided = (self.snapshot.evaluate(key, tenant, {}, at=at) for tenant in self._tenants)
        on = sum(decision is not None and decision.enabled for decision in decided)
        return Share(on, len(self._tenants), self._sampled)


class _Shares:
    """Shares of the snapshot in force. Two threads that find it changed may both begin anew; either will do."""

    def __init__(self) -> None:
        self._counted: _Counted | None = None

    def of(self, key: str) -> Share | None:
        """None where it depends on what callers send, or nobody can tell now."""
        at = time.time()
        try:
            snapshot = holder.current()
        except FlagsUnavailable:
            return None
        revision, known = snapshot.revision_at(at), self._counted
        if known is None or known.snapshot is not snapshot or known.revision != revision:
            known = self._counted = _Counted(snapshot, revision)
        return known.of(key, at)


shares = _Shares()


def impact_of(flag: Flag) -> Impact:
    """What `flag` would change, were it the definition in force.

    Raises:
        FlagsUnavailable: see apps.flags.snapshot.
    """
    before, at = holder.current(), time.time()
    after = before.with_flag(flag)
    tenants, sampled = tenants_of(before, MOST_COUNTED)
    moves: Counter[tuple[str, str]] = Counter()
    examples: list[str] = []
    for tenant in tenants:
        was = before.evaluate(flag.key, tenant, {}, at=at)
        now = after.evaluate(flag.key, tenant, {}, at=at)
        if now is None or (was is not None and (was.variation, was.value) == (now.variation, now.value)):
            continue
        moves[was.variation if was is not None else "nothing", now.variation] += 1
        if len(examples) < _SHOWN:
            examples.append(tenant)
    needing = [
        key
        for key, other in before.definitions.items()
        if any(wanted.key == flag.key for wanted in other.prerequisites)
    ]
    return Impact(
        changed=sum(moves.values()),
        counted=len(tenants),
        sampled=sampled,
        moves=[(was, now, count) for (was, now), count in moves.most_common(10)],
        examples=examples,
        by_context=before.depends_on_context(flag.key) or after.depends_on_context(flag.key),
        dependents=needing,
    )


def members(conditions: Sequence[Mapping[str, Any]]) -> Share | None:
    """Of the tenants, those who satisfy a segment's conditions without sending anything; None where nobody can tell."""
    try:
        snapshot = holder.current()
        rule = {"conditions": list(conditions), "variation": "on"}
        flag = read_flag({"key": "segment-trial", "rules": [rule]}, segments=())
    except (FlagsUnavailable, Malformed):
        return None
    trial, at = snapshot.with_flag(flag), time.time()
    tenants, sampled = tenants_of(snapshot, MOST_LISTED)
    decided = (trial.evaluate(flag.key, tenant, {}, at=at) for tenant in tenants)
    on = sum(each is not None and each.rule is not None for each in decided)
    return Share(on, len(tenants), sampled)
