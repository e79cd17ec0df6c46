"""The panel that answers what a tenant would get of a flag, and why."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from apps.backoffice import cells
from apps.backoffice.blocks import Block
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.flags.admin import looks, tenants, words
from apps.flags.admin.patches import parsed
from apps.flags.engine import Explanation
from apps.flags.errors import FlagsUnavailable
from apps.flags.models import Flag
from apps.flags.snapshot import holder
from apps.tenants.models import Tenant

LONGEST_CONTEXT = 100_000
# A reason as the engine writes it: alone, or in brackets behind what it is said of.
_REASON = re.compile(r"\A[a-z_]+\Z|(?<=\()[a-z_]+(?=\))")
_CONDITION = re.compile(r"condition (\d{1,3}): (?:not in segment .*|(.*), asked for .*)", re.DOTALL)
_TONES: Mapping[str, str] = {
    "decided": "green",
    "matched": "green",
    "holds": "green",
    "failed": "red",
    "not matched": "grey",
}


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    outcome: str
    tone: str
    detail: str


@dataclass(frozen=True, slots=True)
class Question:
    """The form, and the answer where it was asked. `choices`: (id, name) of the tenants that match."""

    url: str
    tenant: str = ""
    context: str = ""
    error: str = ""
    choices: Sequence[tuple[str, str]] = ()
    who: cells.Cell = ""
    gets: cells.Cell = ""
    why: str = ""
    known: Sequence[tuple[str, str]] = ()
    steps: Sequence[Step] = ()
    template: ClassVar[str] = "flags/question.html"


def tab(flag: Flag, seen: Seen, asked: Mapping[str, str]) -> list[Block]:
    """The panel; an address may name the tenant."""
    if asked.get("tenant"):
        return [answered(flag, seen, asked["tenant"], "")]
    return [Question(_url(flag))]


def answered(flag: Flag, seen: Seen, term: str, context: str) -> Question:
    """The panel with its answer. Nothing of what was asked is kept."""
    asked = Question(_url(flag), term.strip()[:200], context[:LONGEST_CONTEXT])
    try:
        read = context_of(context)
    except ValueError as wrong:
        return replace(asked, error=str(wrong))
    if not asked.tenant:
        return replace(asked, error="Name a tenant.")
    found = tenants.matching(seen.principal, term, permission=seen.permission)
    if not found:
        return replace(asked, error="No tenant has this id, slug or name.")
    if len(found) > 1:
        return replace(asked, choices=[(each.public_id, each.company_name) for each in found])
    try:
        told = holder.current_with([flag.key]).explain(flag.key, found[0].public_id, read, at=time.time())
    except FlagsUnavailable as away:
        return replace(asked, error=away.message)
    if told is None:
        return replace(asked, error="This process does not know the flag yet. Ask again in a moment.")
    return _with_answer(asked, flag, found[0], told, seen)


def _with_answer(asked: Question, flag: Flag, tenant: Tenant, told: Explanation, seen: Seen) -> Question:
    facts = holder.current().facts(tenant.public_id)
    return replace(
        asked,
        tenant=tenant.public_id,
        who=tenants.cell(tenant.id, tenant.company_name, seen),
        gets=tenants.decided(told.decision),
        why=tenants.why(told.decision),
        known=[(name, words.value(value)) for name, value in facts.items() if value is not None],
        steps=list(_steps(flag, told)),
    )


def _steps(flag: Flag, told: Explanation) -> Iterator[Step]:
    """The engine's trace, with rules by their number and conditions in words."""
    tried = 0
    for each in told.trace:
        name, detail = each.step, _REASON.sub(_in_words, each.detail)
        if name == "rule" or name.startswith("rule "):
            tried += 1
            name = f"rule {tried}{name.removeprefix('rule')}"
            detail = _failure(flag, tried - 1, detail)
        yield Step(name, each.outcome, _TONES.get(each.outcome, "grey"), detail)


def _in_words(found: re.Match[str]) -> str:
    return words.REASONS.get(found[0], found[0])


def _failure(flag: Flag, rule: int, detail: str) -> str:
    """Which condition did not hold, as the rule reads; as the engine says it where the flag was changed meanwhile."""
    found = _CONDITION.match(detail)
    if found is None or rule >= len(flag.rules):
        return detail
    rows = flag.rules[rule]["conditions"]
    if int(found[1]) >= len(rows):
        return detail
    return f"“{words.condition(rows[int(found[1])])}” does not hold{f': {found[2]}' if found[2] else ''}"


def context_of(text: str) -> dict[str, Any]:
    """What callers would send: a JSON object, or one `name = value` a line.

    Raises:
        ValueError: it is neither; says which line.
    """
    text = text.strip()
    if len(text) > LONGEST_CONTEXT:
        raise ValueError("The context is too long.")
    if text.startswith("{"):
        try:
            found = parsed(text)
        except ValueError as wrong:
            raise ValueError(f"The context is no JSON: {wrong}") from None
        return dict(found)
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise ValueError(f"{line[:60]!r} is not written as name = value.")
        found[name.strip()] = words.read_value("equals", value)
    return found


def _url(flag: Flag) -> str:
    return f"{site.list_url('flags')}{looks.public_id(flag)}/ask/"
