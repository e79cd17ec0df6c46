"""The editor of a flag: a form of rows, or JSON; what a change comes to is shown before it is saved.

Every button sends the whole form (`op`): rows are added and moved by the server, so that the page works without a
script and by keyboard.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from apps.approvals.services import Pending
from apps.backoffice.blocks import Block, Change, Note, changes
from apps.backoffice.cells import Cell, link
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core import ids
from apps.core.errors import DomainError, PreconditionFailed
from apps.core.principal import Principal
from apps.flags import engine, selectors
from apps.flags.admin import patches, words
from apps.flags.admin.drafts import MOST_INPUTS, SEGMENT, SPLIT, Draft, Sent, arrange
from apps.flags.admin.impact import Impact, impact_of
from apps.flags.enums import DEFINING
from apps.flags.errors import FlagInvalid, FlagsUnavailable
from apps.flags.models import Flag, Segment
from apps.flags.services.approved import change
from apps.flags.services.common import segment_keys
from apps.flags.services.flags import changed_copy
from apps.flags.services.schedule import fields_of
from apps.tenants.querysets import visible_to

Errors = Mapping[str, Sequence[str]]

TEXT, BOOLEAN = "text", "boolean"
_HINTS: Mapping[str, str] = {
    "in": "pro, growth",
    "not_in": "pro, growth",
    "greater_than": "10",
    "less_than": "10",
    "semver_equals": "1.4.2",
    "semver_greater_than": "1.4.2",
    "semver_less_than": "2.0.0",
    "before": "2026-12-24T18:00:00Z",
    "after": "2026-12-24T18:00:00Z",
    "matches": "^EU-[0-9]+$",
    "cidr": "10.0.0.0/8, 2001:db8::/32",
}


@dataclass(frozen=True, slots=True)
class Word:
    """An operator as the form offers it: how it reads, and which input its value takes."""

    key: str
    text: str
    takes: str
    hint: str = ""


def operators(*, segments: bool) -> list[Word]:
    found = [
        Word(key, text, BOOLEAN if key == engine.Operator.EXISTS else TEXT, _HINTS.get(key, ""))
        for key, text in words.OPERATORS.items()
    ]
    return [*found, Word(SEGMENT, "is in the segment", SEGMENT)] if segments else found


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody saved a newer version while the form was open."""

    version: int
    by: Cell
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Editor:
    """The form as it stands, with what was said of it. `focus`: the path of the input that gets the focus."""

    url: str
    flag: Flag
    draft: Draft
    json: str
    as_json: bool = False
    reason: str = ""
    errors: Errors = field(default_factory=dict)
    general: Sequence[str] = ()
    focus: str = ""
    impact: Impact | None = None
    examples: Sequence[Cell] = ()
    edits: Sequence[Change] = ()
    clash: Clash | None = None
    attributes: Sequence[str] = ()
    segments: Sequence[str] = ()
    flags: Sequence[str] = ()
    template: ClassVar[str] = "flags/editor.html"
    split: ClassVar[str] = SPLIT

    @property
    def operators(self) -> list[Word]:
        return operators(segments=bool(self.segments))

    @property
    def variation_keys(self) -> list[str]:
        return [each.key for each in self.draft.variations if each.key]


@dataclass(frozen=True, slots=True)
class Answer:
    """Either the editor again, with a status, or the sentence of what was done."""

    block: Block | None = None
    status: int = 200
    sentence: str = ""


def opened(flag: Flag, url: str, *, as_json: bool) -> Block:
    """The editor of the version in force."""
    if flag.is_archived:
        return Note("It is archived: restore one of its versions first.", "grey", "archive")
    crowded = _inputs(flag) > MOST_INPUTS
    body = json.dumps(words.body(flag), indent=2, ensure_ascii=False)
    block = _furnished(Editor(url, flag, Draft.of(flag.version, flag.definition()), body, as_json or crowded))
    if crowded and not as_json:
        said = f"{len(flag.rules)} rules are too many for a form: here they are as JSON."
        return replace(block, general=[said])
    return block


def _inputs(flag: Flag) -> int:
    """How many inputs a form of its rules has."""
    each_rule = 3 + 2 * len(flag.variations)
    return sum(each_rule + 3 * len(rule["conditions"]) for rule in flag.rules)


def answer(flag: Flag, url: str, sent: Sent, actor: Principal) -> Answer:
    """What one of the editor's buttons does."""
    as_json = sent.get("as") == "json"
    draft = Draft.sent(sent, flag.type)
    if as_json:
        draft = replace(Draft.of(flag.version, flag.definition()), version=draft.version)
    op, reason = sent.get("op", ""), sent.get("reason", "").strip()[:500].replace("\0", "")
    block = Editor(url, flag, draft, sent.get("json", ""), as_json, reason)
    if op == "rebase":
        newer = Draft.of(flag.version, flag.definition())
        merged = newer if as_json else draft.over(newer, _base(flag, draft.version))
        return Answer(_furnished(replace(block, draft=merged)))
    focus = None if as_json else arrange(draft, op)
    if focus is not None:
        return Answer(_furnished(replace(block, focus=focus)))
    return _judged(block, op, actor)


def _judged(block: Editor, op: str, actor: Principal) -> Answer:
    """Checks the change; saves it where that was asked."""
    try:
        fields = _fields(block)
        if not fields:
            raise FlagInvalid("body", "Nothing was changed.")
        changed = changed_copy(block.flag, fields_of(fields))
        if op == "save":
            if len(block.reason) < 3:
                raise FlagInvalid("reason", "Say why: the audit trail keeps it.")
            return Answer(sentence=_saved(block, fields, actor))
    except PreconditionFailed:
        return Answer(_furnished(replace(block, clash=_clash(block.flag, block.draft.version, actor))), 412)
    except FlagInvalid as wrong:
        return Answer(_told(block, wrong), 400)
    except DomainError as refused:
        return Answer(_furnished(replace(block, general=[refused.message])), 409)
    return Answer(_furnished(_previewed(block, changed, actor)))


def _previewed(block: Editor, changed: Flag, actor: Principal) -> Editor:
    edits = changes(words.definition(block.flag.definition()), words.definition(changed.definition()))
    try:
        impact = impact_of(engine.read_flag(changed.evaluated(), segments=segment_keys()))
    except FlagsUnavailable:
        return replace(block, edits=edits)
    return replace(block, impact=impact, examples=_examples(impact, actor), edits=edits)


def _examples(impact: Impact, actor: Principal) -> list[Cell]:
    """Some of the tenants that would get something else, by name."""
    keys = [ids.parse(ids.TENANT, each) for each in impact.examples]
    rows = visible_to(actor).filter(id__in=keys).order_by("company_name")
    return [link(site.link("tenants", row.public_id, actor), row.company_name) for row in rows]


def _fields(block: Editor) -> dict[str, Any]:
    """What is to change, as JSON.

    Raises:
        FlagInvalid
    """
    if block.as_json:
        now, given = words.body(block.flag), patches.patch(block.json)
        return {name: value for name, value in given.items() if value != now[name]}
    return patches.checked(block.draft.fields(_base(block.flag, block.draft.version)))


def _saved(block: Editor, fields: Mapping[str, Any], actor: Principal) -> str:
    outcome = change(
        "update",
        actor=actor,
        key=block.flag.key,
        arguments={"fields": dict(fields)},
        if_match=block.draft.version,
        reason=block.reason,
    )
    if isinstance(outcome, Pending):
        return "It needs a second person: the request waits under Approvals."
    return f"{block.flag.key} is saved, and in force everywhere."


def _base(flag: Flag, version: int) -> Draft:
    """The definition that the form was made from."""
    if version != flag.version:
        known = flag.changes.filter(version=version, kind__in=DEFINING).first()
        if known is not None and known.after is not None:
            return Draft.of(version, known.after)
    return Draft.of(flag.version, flag.definition())


def _clash(flag: Flag, version: int, actor: Principal) -> Clash:
    last = selectors.history(actor, key=flag.key).filter(kind__in=DEFINING).first()
    was = flag.changes.filter(version=version, kind__in=DEFINING).first()
    before = was.after if was is not None and was.after is not None else {}
    differing = changes(words.definition(before), words.definition(flag.definition())) if before else []
    return Clash(
        flag.version,
        site.actor(last.changed_by, Seen(actor, "flags.manage")) if last is not None else "",
        differing,
    )


def _told(block: Editor, wrong: FlagInvalid) -> Editor:
    """With each sentence at the input that it is about; others, and all about JSON, above the form."""
    errors = {str(path): [str(each) for each in told] for path, told in wrong.details.items()}
    if block.as_json:
        shown = {"json", "reason", "body"}
        general = [f"{path}: {each}" for path, told in errors.items() if path not in shown for each in told]
    else:
        general = [f"{path}: {each}" for path, told in errors.items() if not _placed(path) for each in told]
    general = [*general, *errors.get("body", [])]
    first = next(iter(errors), "")
    return _furnished(replace(block, errors=errors, general=general, focus=first))


def _placed(path: str) -> bool:
    """True where the form shows what is said of a path."""
    name, _, rest = path.partition(".")
    plain = {
        "reason",
        "description",
        "owner",
        "tags",
        "expiresAt",
        "offVariation",
        "variations",
        "prerequisites",
    }
    if not rest:
        return path in plain | {"body"}
    parts = rest.split(".")
    if name == "rollout":
        return rest in {"percentage", "contextKey"}
    if name in {"variations", "prerequisites"}:
        return len(parts) <= 2
    return name == "rules" and (len(parts) < 2 or parts[1] in {"name", "conditions", "split", "contextKey"})


def _furnished(block: Editor) -> Editor:
    """With what its inputs suggest."""
    rows = list(Flag.objects.only("key", "rules"))
    return replace(
        block,
        attributes=words.attributes(rows),
        segments=list(Segment.objects.order_by("key").values_list("key", flat=True)),
        flags=sorted(row.key for row in rows if row.key != block.flag.key),
    )
