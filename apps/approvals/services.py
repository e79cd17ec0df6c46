"""Asking for a second person, deciding, executing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.approvals.enums import ApprovalStatus, Policy
from apps.approvals.errors import (
    ActionUnknown,
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotFound,
    ApprovalRequired,
    ApprovalTampered,
    OwnApproval,
    RequesterStopped,
)
from apps.approvals.knobs import EXPIRY_HOURS
from apps.approvals.models import ApprovalRequest, digest, frozen
from apps.approvals.querysets import visible_to
from apps.approvals.registry import Approvable, known_action
from apps.approvals.selectors import requester_may
from apps.core.access import allows
from apps.core.clock import now
from apps.core.erasing.traces import Traces
from apps.core.errors import DomainError, Forbidden, Unavailable
from apps.core.ids import new_id
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Outcome, Target, Write, write

# The action that is being executed with a second person's word (or rehearsed before it is asked for).
_granted: ContextVar[str | None] = ContextVar("granted", default=None)


@dataclass(frozen=True, slots=True)
class Executed:
    """No second person is needed here: it is done. `result` is what the action's function gave."""

    result: Any


@dataclass(frozen=True, slots=True)
class Pending:
    """It waits for a second person. A surface answers 202 with `body()`."""

    request: ApprovalRequest

    def body(self) -> dict[str, str]:
        return {"approval_id": self.request.public_id, "status": "pending_approval"}


def is_required(action: str, *, actor: Principal) -> bool:
    """True where the policy asks for a second person at the caller's door. Steward itself needs none.

    Raises:
        KeyError: no app registered the action (a programming error).
    """
    policy = known_action(action).policy.get()
    if actor.kind is PrincipalKind.SYSTEM or policy == Policy.OFF:
        return False
    return policy == Policy.ALWAYS or actor.via == "backoffice"


def guard(action: str, *, actor: Principal) -> None:
    """For the service that does the act: refuses what must go through `perform`.

    Raises:
        ApprovalRequired: a second person is needed, and has not spoken.
    """
    if _granted.get() != action and is_required(action, actor=actor):
        raise ApprovalRequired(details={"action": [action]})


def perform(
    action: str, *, actor: Principal, params: Mapping[str, Any], target: Target, reason: str = ""
) -> Executed | Pending:
    """Does the action, or asks for a second person where the policy wants one.

    Args:
        params: JSON values; frozen with a request. Ids: no personal data, no secret.
        target: what the action is about.

    Raises:
        Forbidden: the caller lacks the action's permission.
        DomainError: whatever the action raises; a request for what can't be done now is refused at once.
    """
    known = known_action(action)
    if actor.kind is PrincipalKind.STAFF and not allows(actor, known.permission):
        raise Forbidden
    if not is_required(action, actor=actor):
        return Executed(known.execute(actor=actor, params=dict(params), reason=reason))
    return Pending(_ask(known, actor=actor, params=params, target=target, reason=reason))


def _ask(
    known: Approvable, *, actor: Principal, params: Mapping[str, Any], target: Target, reason: str
) -> ApprovalRequest:
    text = frozen(params)
    row = ApprovalRequest(
        id=new_id(),
        action=known.action,
        params=text,
        params_hash=digest(known.action, text),
        target_type=target.type,
        target_id=target.id,
        tenant_id=target.tenant_id,
        person_id=target.person_id,
        requested_by=actor.id,
        requested_by_user_id=actor.user_id,
        requested_via=actor.via,
        reason=reason[:500],
        expires_at=now() + timedelta(hours=EXPIRY_HOURS.get()),
    )
    with write("approval.request", actor=actor, target=row.audit_target(), reason=reason) as w:
        w.note(action=known.action)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"approval:{actor.id}:{row.params_hash.hex()}"],
            )
        standing = ApprovalRequest.objects.filter(
            action=row.action,
            params_hash=row.params_hash,
            requested_by=actor.id,
            status=ApprovalStatus.PENDING,
        ).first()
        if standing is not None and standing.is_waiting(now()):
            w.on(standing.audit_target())
            w.note(asked_before=True)
            return standing
        if standing is not None:
            _expire(standing)
        _rehearse(w, known, actor=actor, params=row.parameters, reason=reason)
        row.save(force_insert=True)
        w.changed(after={"action": row.action, "parameters": row.parameters})
        w.publish("approval.requested", approval_id=str(row.id))
    return row


def approve_request(*, actor: Principal, request_id: UUID, reason: str = "") -> ApprovalRequest:
    """Approves and executes, with the frozen parameters, in one write that bears the action's name.

    Where the action can't be executed any longer, or whoever asked may do it no longer, the request ends as `failed`
    with the error, and nothing else is changed. Where something is only away, nothing happens and the request goes on
    waiting.

    Raises:
        Forbidden: the caller is no person with the rights to decide and to do it.
        ApprovalNotFound, ApprovalDecided, ApprovalExpired, OwnApproval, ApprovalTampered, ActionUnknown
        Unavailable: what the action needs is away.
    """
    seen = _seen(actor, request_id)
    known = _known(seen)
    if not allows(actor, known.permission):
        raise Forbidden
    facts = {"approval": seen.public_id, "requested_by": seen.requested_by}
    with write(
        seen.action, actor=actor, target=seen.effect_target(), reason=seen.reason, metadata=facts
    ) as w:
        row = _locked(request_id)
        _require_decidable(row, actor)
        _decide(row, ApprovalStatus.APPROVED, actor, reason)
        try:
            with _untold(w), transaction.atomic(), _granting(row.action):
                if not requester_may(row):
                    raise RequesterStopped
                known.execute(actor=actor, params=row.parameters, reason=row.reason)
        except DomainError as refused:
            if isinstance(refused, Unavailable):
                raise
            row.status, row.error = ApprovalStatus.FAILED, {"code": refused.code, "message": refused.message}
            w.entry.outcome = Outcome.FAILURE
            w.note(error=refused.code)
        else:
            row.status = ApprovalStatus.EXECUTED
        row.save(update_fields=["status", "error"])
        w.publish("approval.decided", approval_id=str(row.id))
    return row


def reject_request(*, actor: Principal, request_id: UUID, reason: str = "") -> ApprovalRequest:
    """Another person says no.

    Raises:
        Forbidden, ApprovalNotFound, ApprovalDecided, ApprovalExpired, OwnApproval
    """
    seen = _seen(actor, request_id)
    with write("approval.reject", actor=actor, target=seen.audit_target(), reason=reason) as w:
        row = _locked(request_id)
        _require_decidable(row, actor, intact=False)
        _decide(row, ApprovalStatus.REJECTED, actor, reason)
        w.changed(before={"status": ApprovalStatus.PENDING.value}, after={"status": row.status})
        w.note(action=row.action, requested_by=row.requested_by)
        w.publish("approval.decided", approval_id=str(row.id))
    return row


def expire_requests(*, actor: Principal) -> int:
    """Ends requests that nobody decided upon in time, each in a write of its own. Answers how many."""
    overdue = Q(status=ApprovalStatus.PENDING, expires_at__lte=now())
    ended = 0
    for row in list(ApprovalRequest.objects.filter(overdue).order_by("expires_at")[:500]):
        with write("approval.expire", actor=actor, target=row.audit_target()) as w:
            still = ApprovalRequest.objects.select_for_update().filter(overdue, id=row.id).first()
            if still is None:
                w.note(decided_meanwhile=True)
                continue
            _expire(still)
            w.changed(before={"status": ApprovalStatus.PENDING.value}, after={"status": still.status})
            ended += 1
    return ended


def remove_tenant(tenant_id: UUID, actor: Principal) -> int:
    """Removes the requests about a tenant (purge). Safe to run twice."""
    target = Target(type="approval", id="*", tenant_id=tenant_id)
    with write("approval.remove_tenant", actor=actor, target=target) as w:
        gone = ApprovalRequest.objects.filter(tenant_id=tenant_id).delete()[0]
        w.note(rows=gone)
    return gone


def erase_person(person_id: UUID, actor: Principal) -> int:
    """Ends what waits by or about a person, and blanks what was written in free text. The decisions stay."""
    target = Target(type="approval", id="*", person_id=person_id)
    about = Q(person_id=person_id) | Q(requested_by_user_id=person_id) | Q(decided_by_user_id=person_id)
    with write("approval.erase_person", actor=actor, target=target) as w:
        rows = ApprovalRequest.objects.filter(about)
        rows.filter(status=ApprovalStatus.PENDING).update(status=ApprovalStatus.EXPIRED)
        changed = rows.exclude(reason="", decision_reason="").update(reason="", decision_reason="")
        w.note(rows=changed)
    return changed


def sweep_person(traces: Traces, actor: Principal) -> int:
    """Removes requests whose frozen parameters bear the person: those can't be changed. Safe to run twice."""
    found = [
        row.id
        for row in ApprovalRequest.objects.only("id", "params").iterator(500)
        if traces.without(row.params) != row.params
    ]
    target = Target(type="approval", id="*", person_id=traces.person_id)
    with write("approval.sweep_person", actor=actor, target=target) as w:
        gone = ApprovalRequest.objects.filter(id__in=found).delete()[0]
        w.note(rows=gone)
    return gone


def _seen(actor: Principal, request_id: UUID) -> ApprovalRequest:
    """The request, read without a lock: for what never changes in it."""
    if actor.user_id is None or not allows(actor, "approvals.decide"):
        raise Forbidden
    row = visible_to(actor).filter(id=request_id).first()
    if row is None:
        raise ApprovalNotFound
    return row


def _known(row: ApprovalRequest) -> Approvable:
    try:
        return known_action(row.action)
    except KeyError:
        raise ActionUnknown from None


def _locked(request_id: UUID) -> ApprovalRequest:
    row = ApprovalRequest.objects.select_for_update().filter(id=request_id).first()
    if row is None:
        raise ApprovalNotFound
    return row


def _require_decidable(row: ApprovalRequest, actor: Principal, *, intact: bool = True) -> None:
    if row.asked_by(actor):
        raise OwnApproval
    if row.status == ApprovalStatus.EXPIRED or (
        row.status == ApprovalStatus.PENDING and not row.is_waiting(now())
    ):
        raise ApprovalExpired
    if row.status != ApprovalStatus.PENDING:
        raise ApprovalDecided(details={"status": [row.status]})
    if intact and not row.is_intact:
        raise ApprovalTampered


def _decide(row: ApprovalRequest, status: ApprovalStatus, actor: Principal, reason: str) -> None:
    row.status, row.decided_by, row.decided_by_user_id = status, actor.id, actor.user_id
    row.decided_at, row.decision_reason = now(), reason[:500]
    row.save(update_fields=["status", "decided_by", "decided_by_user_id", "decided_at", "decision_reason"])


def _expire(row: ApprovalRequest) -> None:
    row.status = ApprovalStatus.EXPIRED
    row.save(update_fields=["status"])


@contextmanager
def _granting(action: str) -> Iterator[None]:
    token = _granted.set(action)
    try:
        yield
    finally:
        _granted.reset(token)


@contextmanager
def _untold(w: Write) -> Iterator[None]:
    """What was said of a change that did not happen is taken back."""
    entry = w.entry
    before, after, metadata = dict(entry.before), dict(entry.after), dict(entry.metadata)
    target, orders, topics = entry.target, len(w.staged.orders), set(w.staged.topics)
    try:
        yield
    except BaseException:
        entry.before, entry.after, entry.metadata, entry.target = before, after, metadata, target
        del w.staged.orders[orders:]
        w.staged.topics = topics
        raise


class _Rehearsed(Exception):
    """Everything would have worked."""


def _rehearse(w: Write, known: Approvable, *, actor: Principal, params: dict[str, Any], reason: str) -> None:
    """Runs the action and rolls it back, so that nobody is asked to approve what can't be done."""
    try:
        with _untold(w), transaction.atomic(), _granting(known.action):
            known.execute(actor=actor, params=params, reason=reason)
            raise _Rehearsed
    except _Rehearsed:
        return
