"""What waits for a second person, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from apps.approvals.enums import ApprovalStatus
from apps.approvals.models import APPROVAL, ApprovalRequest
from apps.approvals.querysets import visible_to
from apps.approvals.registry import actions, find_action
from apps.approvals.selectors import requester_may, to_decide
from apps.approvals.services import approve_request, reject_request
from apps.backoffice import cells
from apps.backoffice.blocks import Block, Code, Fact, Facts, Note
from apps.backoffice.dialogs import Dialog, Done
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

_SHOWN = 5
_TONES: dict[str, str] = {
    ApprovalStatus.PENDING: "orange",
    ApprovalStatus.APPROVED: "blue",
    ApprovalStatus.REJECTED: "grey",
    ApprovalStatus.EXPIRED: "grey",
    ApprovalStatus.EXECUTED: "green",
    ApprovalStatus.FAILED: "red",
}


def _title(row: ApprovalRequest) -> str:
    known = find_action(row.action)
    return known.title if known is not None else row.action


def _status(row: ApprovalRequest, _seen: Seen) -> cells.Cell:
    over = row.status == ApprovalStatus.PENDING and not row.is_waiting(now())
    status = ApprovalStatus.EXPIRED if over else ApprovalStatus(row.status)
    return cells.badge(status.value, _TONES[status], status.label)


def _about(row: ApprovalRequest, seen: Seen) -> cells.Cell:
    whom = site.actor(row.target_id, seen) if row.target_type == "user" else cells.ident(row.target_id)
    return cells.paired(row.target_type, whom)


def _what(row: ApprovalRequest) -> str:
    """The frozen parameters as a sentence of the action's owner."""
    known = find_action(row.action)
    return known.describe(row.parameters) if known is not None else row.params


def _by_status(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(status=value)


def _by_action(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(action=value)


def _actions(_seen: Seen) -> list[tuple[str, str]]:
    return [(known.action, known.title) for known in actions()]


def _request_tab(row: ApprovalRequest, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    blocks: list[Block] = []
    if not row.is_intact:
        sentence = "What is stored is not what was asked for: it can't be approved."
        blocks.append(Note(sentence, "red", "error"))
    elif row.is_waiting(now()) and row.asked_by(seen.principal):
        blocks.append(Note("This is your own request: another person must decide.", "blue", "group"))
    elif row.is_waiting(now()) and not requester_may(row):
        sentence = "Whoever asked for this may do it no longer: approving it closes it, and nothing is done."
        blocks.append(Note(sentence, "orange", "error"))
    asked = [
        Fact("What", _what(row)),
        Fact("About", site.named(row.target_id, seen), row.target_type),
        Fact("Asked by", site.actor(row.requested_by, seen), f"via {row.requested_via}"),
        Fact("Reason", cells.or_nothing(seen.text(row.reason))),
        Fact("Asked", cells.instant(row.created_at)),
        Fact("Expires", cells.instant(row.expires_at)),
    ]
    decided = [
        Fact("Status", _status(row, seen)),
        Fact("Decided by", site.actor(row.decided_by, seen) if row.decided_by else cells.NOTHING),
        Fact("Decided", cells.instant(row.decided_at)),
        Fact("Reason", cells.or_nothing(seen.text(row.decision_reason))),
    ]
    if row.error:
        decided.append(Fact("Error", str(row.error["message"]), str(row.error["code"])))
    frozen = json.dumps(row.parameters, indent=2, sort_keys=True, ensure_ascii=False)
    digest = bytes(row.params_hash).hex()
    return [
        *blocks,
        Facts("The request", asked),
        Facts("The decision", decided),
        Code(f"Frozen parameters, SHA-256 {digest}", frozen),
    ]


class _Decision(Dialog):
    permission: ClassVar[str] = "approvals.decide"

    def available(self, target: Any) -> bool:
        row: ApprovalRequest = target
        return row.is_waiting(now())

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        return f"{self.title}: {_title(target)}"


class Approve(_Decision):
    name: ClassVar[str] = "approve"
    title: ClassVar[str] = "Approve"
    icon: ClassVar[str] = "task_alt"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Approve and execute"

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        return f"It is executed at once, in your name, with exactly what was asked for. {_what(target)}"

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        row = approve_request(actor=actor, request_id=target.id, reason=data["reason"])
        if row.status == ApprovalStatus.FAILED and row.error:
            return Done(f"Approved, but it could not be executed: {row.error['message']}")
        return Done("Approved and executed.")


class Reject(_Decision):
    name: ClassVar[str] = "reject"
    title: ClassVar[str] = "Reject"
    icon: ClassVar[str] = "block"
    variant: ClassVar[str] = "danger"
    submit: ClassVar[str] = "Reject"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "Nothing is changed. Whoever asked can ask again."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        reject_request(actor=actor, request_id=target.id, reason=data["reason"])
        return Done("Rejected.")


@site.section
class ApprovalAdmin(ModelAdmin):
    """Requests; those that wait first."""

    model = ApprovalRequest
    path: ClassVar[str] = "approvals"
    prefix: ClassVar[str] = APPROVAL
    permission: ClassVar[str] = "approvals.read"
    title: ClassVar[str] = "Approvals"
    singular: ClassVar[str] = "approval request"
    icon: ClassVar[str] = "rule"
    group: ClassVar[str] = "Assurance"
    order: ClassVar[int] = 60
    suggests: ClassVar[bool] = False
    search_hint: ClassVar[str] = "Id of the request, or of what it is about"
    blank: ClassVar[str] = "Nobody has asked for a second person yet."
    default_sort: ClassVar[str] = "-asked"
    columns: ClassVar[Sequence[Column]] = [
        Column("action", "Action", lambda row, _seen: _title(row)),
        Column("about", "About", _about),
        Column("status", "Status", _status),
        Column("by", "Asked by", lambda row, seen: site.actor(row.requested_by, seen)),
        Column("reason", "Reason", lambda row, seen: cells.or_nothing(seen.text(row.reason))),
        Column(
            "asked",
            "Asked",
            lambda row, _seen: cells.ago(row.created_at),
            order=Order(up=["id"], down=["-id"]),
            kind="when",
        ),
        Column("expires", "Expires", lambda row, _seen: cells.ago(row.expires_at), kind="when"),
    ]
    filters: ClassVar[Sequence[Filter]] = [
        Filter(
            "status",
            "Status",
            _by_status,
            choices=lambda _seen: [(status, status) for status in ApprovalStatus.values],
        ),
        Filter("action", "Action", _by_action, choices=_actions),
    ]
    dialogs: ClassVar[Sequence[Dialog]] = [Approve(), Reject()]
    tabs: ClassVar[Sequence[Tab]] = [Tab("request", "Request", _request_tab, order=10)]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return visible_to(principal) if allows(principal, permission) else ApprovalRequest.objects.none()

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del seen
        found = ids.parse_or_none(APPROVAL, term)
        return rows.filter(id=found) if found else rows.filter(target_id=term)

    def tone(self, row: Any) -> str:
        return "orange" if row.is_waiting(now()) else ""

    def heading(self, row: Any, seen: Seen) -> Heading:
        badge = (row.status, _TONES[row.status])
        return Heading(_title(row), public_id=row.public_id, badges=[badge], line=seen.text(row.reason))


def _waiting(principal: Principal) -> Matters:
    rows = list(to_decide(principal)[: _SHOWN + 1])
    matters = [
        Matter(_title(row), cells.ago(row.expires_at), site.link("approvals", row.public_id, principal) or "")
        for row in rows[:_SHOWN]
    ]
    url = site.list_url("approvals", "status=pending")
    return Matters("Approvals waiting for you", matters, "rule", "orange", url, more=len(rows) > _SHOWN)


home.matters.append(Panel("approvals", "approvals.decide", _waiting, order=5))
