"""Whether the trail was verified, and anchored; and what needs a person where it was not, or not with success."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from apps.audit.anchors.manifest import load_anchor
from apps.audit.enums import Verdict
from apps.audit.examination import SHOWN
from apps.audit.models import VERIFICATION, AuditAnchor, AuditVerification
from apps.audit.services import request_verification
from apps.backoffice import cells
from apps.backoffice.blocks import Block, Fact, Facts, Note, Row, Table
from apps.backoffice.dialogs import Dialog, Done
from apps.backoffice.home import Matter, Matters, Panel, home
from apps.backoffice.listing import Column, Filter, Order, Rows
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core.access import allows
from apps.core.clock import now
from apps.core.errors import DomainError
from apps.core.principal import Principal
from apps.core.write import Target

_TONES: dict[str, str] = {Verdict.INTACT: "green", Verdict.BROKEN: "red", Verdict.MISMATCH: "red"}
_SHOWN = 24
# Anchors are taken each hour; two may fail before somebody has to look.
_LATE = timedelta(hours=3)


def _verdict(row: AuditVerification) -> cells.Cell:
    return cells.badge(row.get_verdict_display().lower(), _TONES[row.verdict])


def _took(row: AuditVerification) -> str:
    return f"{(row.finished_at - row.started_at).total_seconds():,.1f} s"


def _verification_tab(row: AuditVerification, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    facts = [
        Fact("Verdict", _verdict(row)),
        Fact("Rows", cells.number(row.rows), f"in {cells.counted(row.chains, 'chain')}"),
        Fact(
            "Anchors",
            cells.number(row.anchors),
            f"the newest is {row.newest_anchor}" if row.newest_anchor else "",
        ),
        Fact("Finished", cells.instant(row.finished_at), f"after {_took(row)}"),
        Fact("Asked by", site.actor(row.asked_by, seen)),
        Fact("By hand", "manage.py audit_verify --anchors"),
    ]
    lines = [Row([sentence]) for sentence in row.findings]
    note = "The first twenty are named." if len(lines) >= SHOWN else ""
    return [
        Facts("What was read", facts),
        Table("What is wrong", [("Finding", "wrap")], lines, "Nothing.", note),
    ]


def _anchors_tab(_row: AuditVerification, _seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """The newest anchors as the database knows them; the last one is read from the store."""
    rows = list(AuditAnchor.objects.all()[:_SHOWN])
    heads = [
        ("Number", "number"),
        ("Taken (UTC)", "text"),
        ("Chains", "number"),
        ("Changed", "number"),
        ("Rows", "number"),
    ]
    heads.append(("Digest", "text"))
    lines = [
        Row(
            [
                cells.noted(str(row.number), "after a restore") if row.after_restore else str(row.number),
                cells.instant(row.taken_at),
                cells.number(row.chains),
                cells.number(row.changed),
                cells.number(row.rows),
                cells.digest(row.digest),
            ]
        )
        for row in rows
    ]
    told = [_in_the_store(rows[0])] if rows else []
    return [
        *told,
        Table(
            "Newest anchors", heads, lines, "No anchor has been taken yet: the scheduler takes one each hour."
        ),
    ]


def _in_the_store(row: AuditAnchor) -> Note:
    try:
        signed = load_anchor(row.number)
        signed.check()
    except DomainError as wrong:
        return Note(f"Anchor {row.number}, the newest: {wrong.message}", tone="red", icon="error")
    if signed.anchor.digest() != row.digest:
        return Note(
            f"Anchor {row.number} in the store is not the one that was taken.", tone="red", icon="error"
        )
    return Note(f"Anchor {row.number} lies in the object store, and its signature is right.", tone="green")


class VerifyNow(Dialog):
    name: ClassVar[str] = "verify"
    title: ClassVar[str] = "Verify now"
    permission: ClassVar[str] = "audit.read"
    icon: ClassVar[str] = "verified_user"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Verify"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "A job recomputes every row of the trail and holds it against the anchors. It changes nothing."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        request_verification(actor=actor, reason=data["reason"])
        return Done(
            "The trail is being verified; the verdict will stand here.", url=site.list_url("verifications")
        )


@site.section
class VerificationAdmin(ModelAdmin):
    """What each night's verification found, and those that somebody asked for."""

    model = AuditVerification
    path: ClassVar[str] = "verifications"
    prefix: ClassVar[str] = VERIFICATION
    permission: ClassVar[str] = "audit.read"
    title: ClassVar[str] = "Verifications"
    singular: ClassVar[str] = "verification"
    icon: ClassVar[str] = "fact_check"
    group: ClassVar[str] = "Assurance"
    order: ClassVar[int] = 72
    suggests: ClassVar[bool] = False
    blank: ClassVar[str] = "The trail has not been verified yet: the scheduler does so each night."
    default_sort: ClassVar[str] = "-finished"
    columns: ClassVar[Sequence[Column]] = [
        Column("verdict", "Verdict", lambda row, _seen: _verdict(row)),
        Column(
            "finished",
            "Finished",
            lambda row, _seen: cells.ago(row.finished_at),
            order=Order(up=["id"], down=["-id"]),
            kind="when",
        ),
        Column("rows", "Rows", lambda row, _seen: cells.number(row.rows), kind="number"),
        Column("chains", "Chains", lambda row, _seen: cells.number(row.chains), kind="number"),
        Column("anchors", "Anchors", lambda row, _seen: cells.number(row.anchors), kind="number"),
        Column("took", "Took", lambda row, _seen: _took(row), kind="number"),
        Column("by", "Asked by", lambda row, seen: site.actor(row.asked_by, seen)),
    ]
    filters: ClassVar[Sequence[Filter]] = [
        Filter(
            "verdict",
            "Verdict",
            lambda found, value, _seen: found.filter(verdict=value),
            choices=lambda _seen: list(Verdict.choices),
        )
    ]
    list_dialogs: ClassVar[Sequence[Dialog]] = [VerifyNow()]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("verification", "Verification", _verification_tab, order=10),
        Tab("anchors", "Anchors", _anchors_tab, order=20),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return (
            AuditVerification.objects.all()
            if allows(principal, permission)
            else AuditVerification.objects.none()
        )

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del term, seen
        return rows.none()

    def tone(self, row: Any) -> str:
        return "" if row.verdict == Verdict.INTACT else "red"

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        badges = [(row.get_verdict_display().lower(), _TONES[row.verdict])]
        return Heading("Verification", badges=badges, line=f"{row.finished_at:%Y-%m-%d %H:%M:%S} UTC")

    def target(self, row: Any) -> Target:
        found: AuditVerification = row
        return found.audit_target()


def _doubtful(principal: Principal) -> Matters:
    """A last verification that was not intact; anchors that ceased."""
    matters = []
    last = AuditVerification.objects.order_by("-id").first()
    if last is not None and last.verdict != Verdict.INTACT:
        first = str(last.findings[0]) if last.findings else last.get_verdict_display()
        url = site.link("verifications", last.public_id, principal) or ""
        matters.append(
            Matter(f"{last.get_verdict_display()}: {first}"[:200], cells.ago(last.finished_at), url)
        )
    anchor = AuditAnchor.objects.order_by("-number").first()
    if anchor is not None and anchor.taken_at < now() - _LATE:
        matters.append(
            Matter(
                f"No anchor since number {anchor.number}", cells.ago(anchor.taken_at), site.list_url("jobs")
            )
        )
    return Matters("The audit trail", matters, "gpp_bad", "red", site.list_url("verifications"))


home.matters.append(Panel("audit-trail", "audit.read", _doubtful, order=1))
