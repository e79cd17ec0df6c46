"""Everything that evaluation needs, immutable: a process swaps a whole snapshot for the next."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from apps.flags.engine.evaluator import CompiledFlag, Predicate, Step, Subject, Trace, compile_segment
from apps.flags.engine.graph import broken
from apps.flags.engine.model import FACTS, Context, Decision, Flag, Override, Segment, TenantAttributes

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """All flags for one tenant and context, by key; `revision` changes whenever one of them might."""

    tenant_id: str | None
    revision: str
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    decision: Decision
    trace: tuple[Step, ...]


class Snapshot:
    """Flags, segments, overrides and what is known of tenants, at one revision.

    Attributes:
        revision: of what was loaded; `revision_at` counts the overrides that ended since, too.
        loaded_at: when, in seconds since 1970.
    """

    __slots__ = ("_expiries", "compiled", "definitions", "known", "loaded_at", "revision", "segments")

    def __init__(
        self,
        *,
        revision: str,
        loaded_at: float,
        definitions: Mapping[str, Flag],
        segments: Mapping[str, Segment],
        flags: Mapping[str, CompiledFlag],
        facts: Mapping[str, Mapping[str, Any]],
        expiries: tuple[float, ...],
    ) -> None:
        self.revision = revision
        self.loaded_at = loaded_at
        self.definitions = definitions
        self.segments = segments
        self.compiled = flags
        self.known = facts
        self._expiries = expiries

    @classmethod
    def build(
        cls,
        *,
        revision: str,
        loaded_at: float = 0.0,
        flags: Iterable[Flag] = (),
        segments: Iterable[Segment] = (),
        overrides: Iterable[Override] = (),
        tenants: Iterable[TenantAttributes] = (),
        before: "Snapshot | None" = None,
        gone: Collection[str] | None = None,
    ) -> "Snapshot":
        """Compiles definitions that `read_flag` and `read_segment` let through.

        Args:
            before: an earlier snapshot; what is still the same is taken over from it as it is compiled.
            gone: None where `tenants` are all; else they are those that are new or other, and all the others are those
                of `before` but for these.

        Raises:
            Unusable: a condition that they would have refused.
        """
        definitions = {flag.key: flag for flag in sorted(flags, key=lambda flag: flag.key)}
        named = {segment.key: segment for segment in segments}
        compiled: dict[str, tuple[Predicate, ...]] = {
            key: compile_segment(segment) for key, segment in named.items()
        }
        given: dict[str, list[Override]] = {}
        for override in overrides:
            given.setdefault(override.flag, []).append(override)
        lost = broken(definitions)
        known = before.compiled if before is not None and before.segments == named else {}
        made = {}
        for key, flag in definitions.items():
            own, is_broken, same = given.get(key, []), key in lost, known.get(key)
            if same is None or not same.is_made_of(flag, own, broken=is_broken):
                same = CompiledFlag(flag, compiled, own, broken=is_broken)
            made[key] = same
        facts: Mapping[str, Mapping[str, Any]] = {each.tenant_id: each.facts() for each in tenants}
        if before is not None and gone is not None:
            facts = _with(before.known, facts, gone)
        ends = (each.expires_at for rows in given.values() for each in rows if each.expires_at is not None)
        return cls(
            revision=revision,
            loaded_at=loaded_at,
            definitions=MappingProxyType(definitions),
            segments=MappingProxyType(named),
            flags=made,
            facts=facts,
            expiries=tuple(sorted(ends)),
        )

    def __len__(self) -> int:
        return len(self.compiled)

    def __contains__(self, key: object) -> bool:
        return key in self.compiled

    def knows_tenant(self, tenant_id: str) -> bool:
        return tenant_id in self.known

    def tenant_ids(self) -> Iterable[str]:
        return self.known.keys()

    def with_flag(self, flag: Flag) -> "Snapshot":
        """The same but for one definition, new or changed: what it would come to. Its overrides stay, but for those of
        a variation that it has no longer.

        Raises:
            Unusable: see `build`.
        """
        known = self.compiled.get(flag.key)
        given = [
            Override(flag.key, tenant, decision.variation, ends)
            for tenant, (decision, ends) in (known.overrides.items() if known is not None else ())
        ]
        definitions = {**self.definitions, flag.key: flag}
        segments = {key: compile_segment(segment) for key, segment in self.segments.items()}
        made = CompiledFlag(flag, segments, given, broken=flag.key in broken(definitions))
        return Snapshot(
            revision=self.revision,
            loaded_at=self.loaded_at,
            definitions=MappingProxyType(definitions),
            segments=self.segments,
            flags={**self.compiled, flag.key: made},
            facts=self.known,
            expiries=self._expiries,
        )

    def depends_on_context(self, key: str) -> bool:
        """True where a rule, the rollout or a prerequisite of the flag looks at what callers send."""
        waiting, seen = [key], {key}
        while waiting:
            flag = self.definitions.get(waiting.pop())
            if flag is None:
                continue
            if any(name not in FACTS for name in self._attributes(flag)):
                return True
            further = {each.key for each in flag.prerequisites} - seen
            seen |= further
            waiting.extend(further)
        return False

    def _attributes(self, flag: Flag) -> Iterator[str]:
        """What a flag's own rules and rollout look at."""
        for rule in flag.rules:
            if rule.split:
                yield rule.context_key
            for condition in rule.conditions:
                if condition.segment is None:
                    yield condition.attribute
                elif condition.segment in self.segments:
                    yield from (each.attribute for each in self.segments[condition.segment].conditions)
        if flag.rollout is not None:
            yield flag.rollout.context_key

    def changed_since(self, before: "Snapshot") -> tuple[str, ...]:
        """Keys of the flags that may answer otherwise than in `before`: their definition, a segment they look at, an
        override, or a flag that they need."""
        segments = {
            key
            for key in {*self.segments, *before.segments}
            if self.segments.get(key) != before.segments.get(key)
        }
        return self._with_dependents(
            {key for key in {*self.compiled, *before.compiled} if self._is_new(key, before, segments)}
        )

    def _with_dependents(self, moved: set[str]) -> tuple[str, ...]:
        """These flags and all that need one of them, however far off."""
        while True:
            dependents = {
                key
                for key, flag in self.definitions.items()
                if key not in moved and any(needed.key in moved for needed in flag.prerequisites)
            }
            if not dependents:
                return tuple(sorted(moved))
            moved |= dependents

    def _is_new(self, key: str, before: "Snapshot", segments: set[str]) -> bool:
        flag, known = self.compiled.get(key), before.compiled.get(key)
        if flag is None or known is None or flag.flag != known.flag or flag.overrides != known.overrides:
            return True
        return any(each.segment in segments for rule in flag.flag.rules for each in rule.conditions)

    def tenants_differ(self, before: "Snapshot") -> bool:
        """True where something is known of tenants that was not known in `before`."""
        return self.known is not before.known and self.known != before.known

    def ended(self, after: float, at: float) -> tuple[str, ...]:
        """Keys of the flags with an override that ended later than `after` and not later than `at`, and of those that
        need them."""
        return self._with_dependents(
            {
                key
                for key, flag in self.compiled.items()
                if any(ends is not None and after < ends <= at for _, ends in flag.overrides.values())
            }
        )

    def facts(self, tenant_id: str) -> Mapping[str, Any]:
        """What is known of a tenant, by the names of attributes; empty for one that is not known."""
        return self.known.get(tenant_id, _NOTHING)

    def revision_at(self, at: float) -> str:
        """The revision at a time: an override that ends changes what tenants get without a write."""
        ended = bisect_right(self._expiries, at)
        return f"{self.revision}.{ended}" if ended else self.revision

    def next_expiry(self, at: float) -> float | None:
        """When the next override ends after `at`, and with it the revision."""
        place = bisect_right(self._expiries, at)
        return self._expiries[place] if place < len(self._expiries) else None

    def evaluate(self, key: str, tenant_id: str | None, context: Context, *, at: float) -> Decision | None:
        """The decision of one flag; None where there is no such flag.

        Args:
            tenant_id: as `tnt_…`; None where the caller names no tenant.
            context: what the caller sent; nothing in it can raise.
            at: seconds since 1970, for overrides that end.
        """
        flag = self.compiled.get(key)
        if flag is None:
            return None
        return flag.decide(self._subject(tenant_id, context, at), self.compiled)

    def bootstrap(self, tenant_id: str | None, context: Context, *, at: float) -> Bootstrap:
        """Every flag, archived ones too (they are off), in the order of their keys."""
        subject, flags = self._subject(tenant_id, context, at), self.compiled
        memo, decisions = subject.memo, []
        for key, flag in flags.items():
            decision = memo.get(key)
            if decision is None:
                decision = memo[key] = flag.decide(subject, flags)
            decisions.append(decision)
        return Bootstrap(tenant_id, self.revision_at(at), tuple(decisions))

    def explain(self, key: str, tenant_id: str | None, context: Context, *, at: float) -> Explanation | None:
        """As `evaluate`, with every step that was tried; None where there is no such flag."""
        flag = self.compiled.get(key)
        if flag is None:
            return None
        trace: Trace = []
        decision = flag.decide(self._subject(tenant_id, context, at), self.compiled, trace)
        return Explanation(decision, tuple(trace))

    def _subject(self, tenant_id: str | None, context: Context, at: float) -> Subject:
        facts = self.known.get(tenant_id) if tenant_id is not None else _NOTHING
        if facts is None:
            facts = {"tenantId": tenant_id}
        return Subject(tenant_id, facts, context, at)


def _with(
    known: Mapping[str, Mapping[str, Any]], further: Mapping[str, Mapping[str, Any]], gone: Collection[str]
) -> Mapping[str, Mapping[str, Any]]:
    """The same object where nothing is other: there may be hundreds of thousands."""
    if not further and not gone:
        return known
    found = {**known, **further}
    for tenant_id in gone:
        del found[tenant_id]
    return found
