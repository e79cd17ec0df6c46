"""One evaluation, step by step in the order of contracts/service.md, section 3.

A flag is compiled once a snapshot; deciding is then a walk over prepared tests, and every possible decision is made
beforehand. `explain` walks the same code: it only hands in a list that each step writes itself into.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeAlias

from apps.flags.engine.bucketing import Bucketer, bucketers, hashable
from apps.flags.engine.model import FACTS, Condition, Context, Decision, Flag, Override, Reason, Rule, Segment
from apps.flags.engine.operators import compile_test, wants_absence


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an evaluation: what was looked at, how it came out, and why."""

    step: str
    outcome: str
    detail: str


Trace: TypeAlias = list[Step]


@dataclass(slots=True)
class Subject:
    """Whom a flag is evaluated for: the tenant's facts before what was sent. `memo` holds prerequisites decided."""

    tenant_id: str | None
    facts: Mapping[str, Any]
    context: Context
    at: float
    memo: dict[str, Decision] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The value of an attribute; None where it is absent or null."""
        return self.facts.get(name) if name in FACTS else self.context.get(name)


Predicate: TypeAlias = Callable[[Subject], bool]


def compile_condition(condition: Condition, segments: Mapping[str, tuple[Predicate, ...]]) -> Predicate:
    """A test of the whole subject. A segment that there is not holds nobody."""
    if condition.segment is not None:
        members = segments.get(condition.segment)
        if members is None:
            return lambda _: False
        return lambda subject: all(holds(subject) for holds in members)
    name, test = condition.attribute, compile_test(condition.operator, condition.value)
    if wants_absence(condition.operator, condition.value):
        return lambda subject: subject.get(name) is None
    if name in FACTS:

        def of_tenant(subject: Subject) -> bool:
            found = subject.facts.get(name)
            return found is not None and test(found)

        return of_tenant

    def of_context(subject: Subject) -> bool:
        found = subject.context.get(name)
        return found is not None and test(found)

    return of_context


def compile_segment(segment: Segment) -> tuple[Predicate, ...]:
    return tuple(compile_condition(each, {}) for each in segment.conditions)


class CompiledRule:
    __slots__ = ("bounds", "bucketer", "chosen", "context_key", "decision", "predicates", "rule", "salt")

    def __init__(self, flag: Flag, number: int, segments: Mapping[str, tuple[Predicate, ...]]) -> None:
        rule = flag.rules[number]
        self.rule: Rule = rule
        self.predicates = tuple(compile_condition(each, segments) for each in rule.conditions)
        self.context_key, self.salt = rule.context_key, flag.salt
        self.bucketer: Bucketer = bucketers[flag.hash]
        made = {"rule": number, "rule_name": rule.name}
        self.decision: Decision | None = None
        self.chosen: Sequence[Decision] = ()
        self.bounds: Sequence[int] = ()
        if rule.variation is not None:
            self.decision = decision_of(flag, rule.variation, Reason.RULE_MATCH, **made)
        else:
            # A variation with the weight 0 has no bucket: its bound is the one before it.
            self.bounds = tuple(accumulate(each.weight for each in rule.split))
            self.chosen = tuple(
                decision_of(flag, each.variation, Reason.RULE_MATCH, split=True, **made)
                for each in rule.split
            )

    def decide(self, subject: Subject, trace: Trace | None) -> Decision | None:
        """None where a condition fails, or where the context key of the split is absent."""
        for number, holds in enumerate(self.predicates):
            if not holds(subject):
                if trace is not None:
                    trace.append(Step(self._name(), "not matched", self._failure(number, subject)))
                return None
        if self.decision is not None:
            if trace is not None:
                trace.append(
                    Step(self._name(), "matched", f"every condition holds: {self.decision.variation}")
                )
            return self.decision
        value = hashable(subject.get(self.context_key))
        if value is None:
            if trace is not None:
                why = f"every condition holds, but {self.context_key} is absent or can't be hashed"
                trace.append(Step(self._name(), "not matched", why))
            return None
        bucket = self.bucketer(self.salt, value)
        found = self.chosen[bisect_right(self.bounds, bucket)]
        if trace is not None:
            where = f"bucket {bucket} of 100000 by {self.context_key}"
            trace.append(Step(self._name(), "matched", f"every condition holds, {where}: {found.variation}"))
        return found

    def _name(self) -> str:
        return f"rule {self.rule.name!r}" if self.rule.name else "rule"

    def _failure(self, number: int, subject: Subject) -> str:
        condition = self.rule.conditions[number]
        if condition.segment is not None:
            return f"condition {number}: not in segment {condition.segment}"
        found = subject.get(condition.attribute)
        told = "is absent" if found is None else f"is {_shown(found)}"
        asked = f"{condition.operator} {_shown(condition.value)}"
        return f"condition {number}: {condition.attribute} {told}, asked for {asked}"


class CompiledFlag:
    """A flag ready to decide. `overrides`: tenant to (decision, when it ends or None)."""

    __slots__ = (
        "archived", "broken", "bucketer", "default", "flag", "given", "key", "off", "overrides", "prerequisites",
        "rolled_out", "rollout_key", "rollout_share", "rules", "salt",
    )  # fmt: skip

    def __init__(
        self,
        flag: Flag,
        segments: Mapping[str, tuple[Predicate, ...]],
        overrides: Sequence[Override],
        *,
        broken: bool,
    ) -> None:
        self.flag, self.key, self.broken = flag, flag.key, broken
        self.given = tuple(overrides)
        self.salt, self.bucketer = flag.salt, bucketers[flag.hash]
        self.archived = decision_of(flag, flag.off_variation, Reason.ARCHIVED) if flag.archived else None
        self.off = decision_of(flag, flag.off_variation, Reason.PREREQUISITE_FAILED)
        known = {each.key for each in flag.variations}
        self.overrides = {
            each.tenant_id: (_overridden(flag, each.variation), each.expires_at)
            for each in overrides
            if each.variation in known
        }
        self.prerequisites = flag.prerequisites
        self.rules = tuple(CompiledRule(flag, number, segments) for number in range(len(flag.rules)))
        self.rollout_key = flag.rollout.context_key if flag.rollout is not None else None
        self.rollout_share = flag.rollout.share if flag.rollout is not None else 0
        self.rolled_out = decision_of(flag, flag.on_variation, Reason.ROLLOUT, split=True)
        self.default = (
            decision_of(flag, flag.on_variation, Reason.DEFAULT_ENABLED)
            if flag.default_enabled
            else decision_of(flag, flag.off_variation, Reason.DEFAULT_DISABLED)
        )

    def is_made_of(self, flag: Flag, overrides: Sequence[Override], *, broken: bool) -> bool:
        """True where compiling these would come to the same; segments are the caller's to compare."""
        return (
            (self.flag is flag or self.flag == flag)
            and self.broken == broken
            and self.given == tuple(overrides)
        )

    def decide(
        self, subject: Subject, flags: "Mapping[str, CompiledFlag]", trace: Trace | None = None
    ) -> Decision:
        """The decision for a subject; `trace` gets a step for everything that is looked at."""
        if self.archived is not None:
            if trace is not None:
                trace.append(Step("archived", "decided", "the flag is archived"))
            return self.archived
        if self.overrides:
            found = self._override(subject, trace)
            if found is not None:
                return found
        if self.prerequisites and not self._prerequisites_hold(subject, flags, trace):
            return self.off
        for rule in self.rules:
            decided = rule.decide(subject, trace)
            if decided is not None:
                return decided
        if self.rollout_key is not None and self._in_rollout(self.rollout_key, subject, trace):
            return self.rolled_out
        if trace is not None:
            trace.append(Step("default", "decided", self.default.reason))
        return self.default

    def _override(self, subject: Subject, trace: Trace | None) -> Decision | None:
        found = self.overrides.get(subject.tenant_id or "")
        if found is None:
            if trace is not None:
                trace.append(Step("tenant override", "not matched", "the tenant has none"))
            return None
        decision, expires_at = found
        if expires_at is not None and expires_at <= subject.at:
            if trace is not None:
                trace.append(Step("tenant override", "not matched", "the tenant's override has expired"))
            return None
        if trace is not None:
            trace.append(Step("tenant override", "decided", f"the tenant is given {decision.variation}"))
        return decision

    def _prerequisites_hold(
        self, subject: Subject, flags: "Mapping[str, CompiledFlag]", trace: Trace | None
    ) -> bool:
        if self.broken:
            if trace is not None:
                trace.append(
                    Step("prerequisite", "failed", "the prerequisites are missing, circular or too deep")
                )
            return False
        for wanted in self.prerequisites:
            found = subject.memo.get(wanted.key)
            if found is None:
                found = flags[wanted.key].decide(subject, flags)
                subject.memo[wanted.key] = found
            holds = found.variation == wanted.variation
            if trace is not None:
                detail = f"{wanted.key} is {found.variation} ({found.reason}), asked for {wanted.variation}"
                trace.append(Step("prerequisite", "holds" if holds else "failed", detail))
            if not holds:
                return False
        return True

    def _in_rollout(self, context_key: str, subject: Subject, trace: Trace | None) -> bool:
        value = hashable(subject.get(context_key))
        if value is None:
            if trace is not None:
                trace.append(Step("rollout", "not matched", f"{context_key} is absent or can't be hashed"))
            return False
        bucket = self.bucketer(self.salt, value)
        inside = bucket < self.rollout_share
        if trace is not None:
            detail = f"bucket {bucket} by {context_key}, rolled out to buckets below {self.rollout_share}"
            trace.append(Step("rollout", "decided" if inside else "not matched", detail))
        return inside


def decision_of(flag: Flag, variation: str, reason: Reason, **more: Any) -> Decision:
    value = next(each.value for each in flag.variations if each.key == variation)
    return Decision(
        key=flag.key,
        enabled=variation != flag.off_variation,
        value=value,
        variation=variation,
        reason=reason,
        **more,
    )


def _overridden(flag: Flag, variation: str) -> Decision:
    enabled = variation != flag.off_variation
    return decision_of(flag, variation, Reason.OVERRIDE_ENABLED if enabled else Reason.OVERRIDE_DISABLED)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
