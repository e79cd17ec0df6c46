"""Segments: conditions that many rules share. Their editor has the same rows as that of a flag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from apps.approvals.services import Pending
from apps.backoffice import cells
from apps.backoffice import pages as shell
from apps.backoffice.blocks import Block, Row, Table
from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow
from apps.backoffice.listing import Column, Rows, by
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.access import allows
from apps.core.errors import DomainError, PreconditionFailed
from apps.core.principal import Principal
from apps.flags import querysets, services
from apps.flags.admin import looks, words
from apps.flags.admin.dialogs import MANAGE
from apps.flags.admin.drafts import Condition, Sent, conditions_sent
from apps.flags.admin.editor import Errors, Word, operators
from apps.flags.admin.impact import members
from apps.flags.errors import FlagInvalid
from apps.flags.models import SEGMENT, Flag, Segment
from apps.flags.services.approved import change

_USERS = 200


@dataclass(frozen=True, slots=True)
class Editor:
    """The conditions as a form."""

    url: str
    version: int
    description: str
    conditions: Sequence[Condition]
    reason: str = ""
    errors: Errors = field(default_factory=dict)
    general: Sequence[str] = ()
    focus: str = ""
    attributes: Sequence[str] = ()
    counted: str = ""
    segments: ClassVar[Sequence[str]] = ()
    template: ClassVar[str] = "flags/segment.html"

    @property
    def operators(self) -> list[Word]:
        return operators(segments=False)


def _url(row: Segment) -> str:
    return f"{site.list_url('segments')}{ids.public(SEGMENT, row.id)}/edit/"


def _editor_tab(row: Segment, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    del seen
    rows = [Condition.of(each) for each in row.conditions]
    editor = Editor(_url(row), row.version, row.description, rows, counted=_counted(row.conditions))
    return [replace(editor, attributes=words.attributes(list(Flag.objects.only("key", "rules"))))]


def _counted(conditions: Sequence[Mapping[str, Any]]) -> str:
    share = members(conditions)
    return f"{share.on:,} of {cells.counted(share.counted, 'tenant')}" if share is not None else ""


def _users_tab(row: Segment, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    found = querysets.using_segment(row.key).order_by("key")[:_USERS]
    rows = [
        Row(
            [
                cells.link(site.link("flags", looks.public_id(flag), seen.principal), flag.key),
                cells.badges(looks.states(flag)),
                flag.owner,
            ]
        )
        for flag in found
    ]
    heads = [("Flag", "text"), ("State", "text"), ("Owner", "text")]
    return [Table("Flags that use it", heads, rows, "No flag uses it.")]


def answer(row: Segment, sent: Sent, actor: Principal) -> tuple[Editor | None, str, int]:
    """What one of the editor's buttons does: the editor again, or the sentence of what was done; with a status."""
    clean = {name: text.replace("\0", "") for name, text in sent.items()}
    rows, op = conditions_sent(clean, "conditions"), clean.get("op", "")
    version = clean.get("version", "")
    editor = Editor(
        _url(row),
        int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
        clean.get("description", "").strip(),
        rows,
        clean.get("reason", "").strip()[:500],
        attributes=words.attributes(list(Flag.objects.only("key", "rules"))),
    )
    at = op.removeprefix("conditions.").removesuffix(".remove")
    if op == "conditions.add":
        focus = f"conditions.{len(rows)}.attribute"
        return replace(editor, conditions=[*rows, Condition()], focus=focus), "", 200
    if op == f"conditions.{at}.remove" and at.isascii() and at.isdigit():
        kept = [each for number, each in enumerate(rows) if number != int(at)]
        return replace(editor, conditions=kept, focus="conditions.add"), "", 200
    data = [each.data() for each in rows]
    if op != "save":
        return replace(editor, counted=_counted(data) or "The conditions are not complete yet."), "", 200
    try:
        return None, _saved(row, editor, data, actor), 200
    except PreconditionFailed:
        said = f"Version {row.version} was saved meanwhile. Look at it in another window, then save over it."
        return replace(editor, version=row.version, general=[said]), "", 412
    except DomainError as refused:
        errors = refused.details if isinstance(refused, FlagInvalid) else {}
        general = [each for path_, told in errors.items() for each in told if not _placed(path_)]
        return replace(editor, errors=errors, general=general if errors else [refused.message]), "", 400


def _placed(name: str) -> bool:
    return name.partition(".")[0] in {"conditions", "reason"}


def _saved(row: Segment, editor: Editor, data: list[dict[str, Any]], actor: Principal) -> str:
    if len(editor.reason) < 3:
        raise FlagInvalid("reason", "Say why: the audit trail keeps it.")
    outcome = change(
        "update_segment",
        actor=actor,
        key=row.key,
        arguments={"conditions": data, "description": editor.description[:1000]},
        if_match=editor.version,
        reason=editor.reason,
    )
    if isinstance(outcome, Pending):
        return "It needs a second person: the request waits under Approvals."
    return f"{row.key} is saved, and in force everywhere."


class SegmentForm(ReasonForm):
    """A segment with its first condition."""

    key = forms.CharField(max_length=128, help_text="like large-customers; it can't be changed later")
    description = forms.CharField(required=False, max_length=1000)
    attribute = narrow(
        forms.CharField(max_length=128, help_text="plan, country, tags … or what callers send")
    )
    operator = narrow(forms.ChoiceField(choices=list(words.OPERATORS.items())))
    value = forms.CharField(required=False, max_length=10_000, help_text="several with commas")
    field_order = ["key", "description", "attribute", "operator", "value", "reason"]


class CreateSegment(Dialog):
    name: ClassVar[str] = "create"
    title: ClassVar[str] = "New segment"
    permission: ClassVar[str] = MANAGE
    icon: ClassVar[str] = "add"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Create it"
    form_class: ClassVar[type[forms.Form]] = SegmentForm

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Rules of all flags can name it. Further conditions are added on its page; all of them must hold."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        first = Condition(data["attribute"], data["operator"], data["value"])
        row = services.create_segment(
            actor=actor,
            key=data["key"],
            description=data["description"],
            conditions=[first.data()],
            reason=data["reason"],
        )
        page = site.link("segments", ids.public(SEGMENT, row.id), actor) or ""
        return Done(f"The segment {row.key} is there.", page)


class DeleteSegment(Dialog):
    name: ClassVar[str] = "remove"
    title: ClassVar[str] = "Delete"
    permission: ClassVar[str] = MANAGE
    icon: ClassVar[str] = "delete"
    variant: ClassVar[str] = "danger"
    submit: ClassVar[str] = "Delete it"

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"Delete the segment {target.key}"

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        users = list(querysets.using_segment(target.key).order_by("key").values_list("key", flat=True)[:10])
        if users:
            return (
                f"Flags use it, archived ones too: {', '.join(users)}. It can't be deleted before they don't."
            )
        return "No flag uses it. It is gone then; the trail keeps what it was."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        services.delete_segment(actor=actor, key=target.key, if_match=target.version, reason=data["reason"])
        return Done(f"The segment {target.key} is gone.", url=site.list_url("segments"))


@site.section
class SegmentAdmin(ModelAdmin):
    """Segments, and which flags use them."""

    model = Segment
    path: ClassVar[str] = "segments"
    prefix: ClassVar[str] = SEGMENT
    permission: ClassVar[str] = MANAGE
    title: ClassVar[str] = "Segments"
    singular: ClassVar[str] = "segment"
    icon: ClassVar[str] = "groups"
    group: ClassVar[str] = "Platform"
    order: ClassVar[int] = 51
    default_sort: ClassVar[str] = "key"
    search_hint: ClassVar[str] = "Key or description"
    blank: ClassVar[str] = "No segments yet: conditions that several flags share get one name here."
    columns: ClassVar[Sequence[Column]] = [
        Column("key", "Segment", lambda row, _seen: row.key, order=by("key")),
        Column("who", "Who is in it", lambda row, _seen: words.conditions(row.conditions), kind="wrap"),
        Column("description", "Description", lambda row, _seen: cells.or_nothing(row.description)),
        Column("changed", "Changed", lambda row, _seen: cells.ago(row.updated_at), kind="when"),
    ]
    list_dialogs: ClassVar[Sequence[Dialog]] = [CreateSegment()]
    dialogs: ClassVar[Sequence[Dialog]] = [DeleteSegment()]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("conditions", "Conditions", _editor_tab, order=10),
        Tab("flags", "Flags", _users_tab, order=20),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        found = querysets.segments_visible_to(principal)
        return found if allows(principal, permission) else found.none()

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del seen
        return rows.filter(Q(key__icontains=term) | Q(description__icontains=term))

    def public_id(self, row: Any) -> str:
        return ids.public(SEGMENT, row.id)

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        return Heading(row.key, public_id=self.public_id(row), line=row.description[:120])

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.edit_view)
        return [*super().get_urls(), path("<str:object_id>/edit/", view, name="segments-edit")]

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The editor's buttons; a mere look leads to its tab."""
        principal = self._admit(request)
        row = self.find(principal, object_id)
        if request.method != "POST":
            return HttpResponseRedirect(self.url_of(row))
        editor, sentence, status = answer(row, request.POST.dict(), principal)
        if editor is None:
            return self._done(request, sentence, self.url_of(row))
        tabs = self.open_tabs(principal)
        seen = Seen(principal, self.permission)
        context = self._page_context(row, tabs, tabs[0], seen, [editor])
        return shell.page(request, "backoffice/object.html", context, status=status)
