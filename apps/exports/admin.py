"""Files that people asked for."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Code, Fact, Facts, Note
from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow, only_with
from apps.backoffice.home import Matter, Matters, Panel, home
from apps.backoffice.listing import Column, Filter, Order, Rows
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.access import allows
from apps.core.clock import now
from apps.core.principal import Principal
from apps.exports import selectors
from apps.exports.enums import ExportFormat, ExportStatus
from apps.exports.models import EXPORT, Export
from apps.exports.querysets import visible_to
from apps.exports.registry import Input, Kind, find_kind
from apps.exports.services import request_export
from apps.exports.subjects import PERMISSION

_SHOWN = 5
_TONES: dict[str, str] = {
    ExportStatus.PROCESSING: "blue",
    ExportStatus.READY: "green",
    ExportStatus.FAILED: "red",
    ExportStatus.EXPIRED: "grey",
}


def _title(row: Export) -> str:
    kind = find_kind(row.kind)
    return f"{kind.title if kind else row.kind} as {row.get_format_display()}"


def _status(row: Export) -> cells.Cell:
    over = row.status == ExportStatus.READY and not row.is_downloadable(now())
    status = ExportStatus.EXPIRED if over else ExportStatus(row.status)
    return cells.badge(status.value, _TONES[status])


def _rows(row: Export) -> cells.Cell:
    if row.rows is None:
        return cells.NOTHING
    return (
        cells.noted(cells.number(row.rows), "cut: there were more")
        if row.truncated
        else cells.number(row.rows)
    )


def _download(row: Export, seen: Seen, text: str) -> cells.Cell:
    url = selectors.facts(row)["download_url"]
    return cells.link(url, text) if url and selectors.may_download(seen.principal, row) else cells.NOTHING


def _by_kind(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(kind=value)


def _by_status(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(status=value)


def _kinds(seen: Seen) -> list[tuple[str, str]]:
    return [(kind.name, kind.title) for kind in selectors.kinds_for(seen.principal)]


def _export_tab(row: Export, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    blocks: list[Block] = []
    if row.status == ExportStatus.FAILED:
        blocks.append(Note(row.error or "It could not be made.", "red", "error"))
    how = selectors.progress(row) if row.status == ExportStatus.PROCESSING else None
    progress: cells.Cell = cells.NOTHING
    if how is not None:
        progress = cells.number(how.done)
        if how.total:
            progress = cells.noted(progress, f"of about {how.total:,}")
    facts = [
        Fact("Status", _status(row)),
        Fact("File", _download(row, seen, row.filename)),
        Fact("Rows", _rows(row)),
        Fact("Rows so far", progress),
        Fact("Size", cells.number(row.size), "bytes" if row.size is not None else ""),
        Fact("SHA-256", cells.whole_id(row.sha256) if row.sha256 else cells.NOTHING),
    ]
    when = [
        Fact("Asked by", site.actor(row.requested_by, seen), ", ".join(row.roles)),
        Fact("Asked", cells.instant(row.created_at)),
        Fact("Ready", cells.instant(row.ready_at)),
        Fact("Expires", cells.instant(row.expires_at)),
        Fact("File removed", cells.instant(row.removed_at)),
    ]
    blocks += [Facts("The file", facts), Facts("Who and when", when)]
    if row.params:
        params = json.dumps(seen.json(row.params), indent=2, sort_keys=True, ensure_ascii=False)
        blocks.append(Code("Parameters", params))
    return blocks


def _field(kind: Kind, asked: Input) -> forms.Field:
    widget: forms.Widget
    if asked.type == "choice":
        choices = [("", "all"), *((value, value) for value in asked.choices)]
        widget = forms.Select(choices=choices)
    else:
        attributes = {"type": "date"} if asked.type == "date" else {"placeholder": asked.hint}
        widget = forms.TextInput(attrs=attributes)
    made: type[forms.Field] = forms.DateField if asked.type == "date" else forms.CharField
    return narrow(only_with(made(label=asked.label, required=False, widget=widget), "kind", kind.name))


class NewExportForm(ReasonForm):
    """Kind and format, and for each kind the parameters that it offers; those of others are not sent."""

    def __init__(self, data: Any, *, offered: Sequence[Kind]) -> None:
        super().__init__(data)
        self._offered = {kind.name: kind for kind in offered}
        choices = [(kind.name, kind.title) for kind in offered]
        self.fields["kind"] = narrow(forms.ChoiceField(label="What", choices=choices))
        self.fields["format"] = narrow(forms.ChoiceField(choices=ExportFormat.choices))
        for kind in offered:
            for asked in kind.inputs:
                self.fields[f"{kind.name}.{asked.name}"] = _field(kind, asked)
        self.order_fields(["kind", "format", *(name for name in self.fields if "." in name), "reason"])

    def clean(self) -> dict[str, Any]:
        """Adds `params`: what was filled in of the chosen kind's parameters."""
        data: dict[str, Any] = super().clean() or {}
        kind = self._offered.get(str(data.get("kind")))
        data["params"] = {}
        for asked in kind.inputs if kind is not None else ():
            value = data.get(f"{kind.name}.{asked.name}") if kind is not None else None
            if value:
                midnight = asked.type == "date"
                data["params"][asked.name] = (
                    datetime.combine(value, time(), UTC).isoformat() if midnight else value
                )
        return data


class NewExport(Dialog):
    name: ClassVar[str] = "new"
    title: ClassVar[str] = "New export"
    permission: ClassVar[str] = "exports.use"
    icon: ClassVar[str] = "download"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Make the file"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target
        eyes = " You read personal data masked, and so does the file." if seen.masked else ""
        return f"A job makes the file; you get a mail when it is there. It can be fetched for a day.{eyes}"

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del target
        return NewExportForm(data, offered=selectors.kinds_for(seen.principal))

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        row = request_export(
            actor=actor,
            kind=data["kind"],
            params=data["params"],
            format_=data["format"],
            reason=data["reason"],
        )
        url = site.link("exports", row.public_id, actor) or ""
        return Done("The file is being made; you get a mail when it is there.", url=url)


class ExportData(Dialog):
    """On the page of a person or a tenant: all that is held about it. `kind` and `parameter` say whose."""

    kind: ClassVar[str]
    parameter: ClassVar[str]
    name: ClassVar[str] = "export-data"
    title: ClassVar[str] = "Export data"
    permission: ClassVar[str] = PERMISSION
    icon: ClassVar[str] = "download"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Make the file"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "A job writes all that is held here into a ZIP of JSON files with a manifest, personal data in clear, "
            "secrets left out; you get a mail when it is there. It can be fetched for a day."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        row = request_export(
            actor=actor,
            kind=self.kind,
            params={self.parameter: target.public_id},
            format_=ExportFormat.ZIP,
            reason=data["reason"],
        )
        url = site.link("exports", row.public_id, actor) or ""
        return Done("The file is being made; you get a mail when it is there.", url=url)


@site.section
class ExportAdmin(ModelAdmin):
    """One's own exports; by right everybody's."""

    model = Export
    path: ClassVar[str] = "exports"
    prefix: ClassVar[str] = EXPORT
    permission: ClassVar[str] = "exports.use"
    title: ClassVar[str] = "Exports"
    singular: ClassVar[str] = "export"
    icon: ClassVar[str] = "download"
    group: ClassVar[str] = "Assurance"
    order: ClassVar[int] = 80
    suggests: ClassVar[bool] = False
    search_hint: ClassVar[str] = "Id of the export"
    blank: ClassVar[str] = "You have not asked for a file yet."
    default_sort: ClassVar[str] = "-asked"
    columns: ClassVar[Sequence[Column]] = [
        Column("what", "What", lambda row, _seen: _title(row)),
        Column("status", "Status", lambda row, _seen: _status(row)),
        Column("rows", "Rows", lambda row, _seen: _rows(row), kind="number"),
        Column("by", "Asked by", lambda row, seen: site.actor(row.requested_by, seen)),
        Column(
            "asked",
            "Asked",
            lambda row, _seen: cells.ago(row.created_at),
            order=Order(up=["id"], down=["-id"]),
            kind="when",
        ),
        Column("expires", "Expires", lambda row, _seen: cells.ago(row.expires_at, "–"), kind="when"),
        Column("file", "File", lambda row, seen: _download(row, seen, "Download")),
    ]
    filters: ClassVar[Sequence[Filter]] = [
        Filter("kind", "What", _by_kind, choices=_kinds),
        Filter(
            "status",
            "Status",
            _by_status,
            choices=lambda _seen: [(status, status) for status in ExportStatus.values],
        ),
    ]
    list_dialogs: ClassVar[Sequence[Dialog]] = [NewExport()]
    tabs: ClassVar[Sequence[Tab]] = [Tab("export", "Export", _export_tab, order=10)]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return visible_to(principal) if allows(principal, permission) else Export.objects.none()

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del seen
        return rows.filter(id=ids.parse_or_none(EXPORT, term))

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        return Heading(_title(row), public_id=row.public_id, badges=[(row.status, _TONES[row.status])])


def _failed(principal: Principal) -> Matters:
    """What this reader asked for in the last week and did not get."""
    since = now() - timedelta(days=7)
    own = visible_to(principal).filter(requested_by=principal.id)
    rows = list(own.filter(status=ExportStatus.FAILED, created_at__gte=since).order_by("-id")[: _SHOWN + 1])
    matters = [
        Matter(
            _title(row),
            cells.ago(row.created_at),
            site.link("exports", ids.public(EXPORT, row.id), principal) or "",
        )
        for row in rows[:_SHOWN]
    ]
    url = site.list_url("exports", "status=failed")
    return Matters(
        "Your exports that failed", matters, "file_download_off", "red", url, more=len(rows) > _SHOWN
    )


home.matters.append(Panel("exports", "exports.use", _failed, order=50))
