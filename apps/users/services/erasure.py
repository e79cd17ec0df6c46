"""The erasure of a person (GDPR, article 17; contracts/platform.md, DELETE `/users/{id}`).

Two steps. The first is one transaction, and the caller waits for it: whatever a key leads to goes, the personal
details of the trail too, and the tombstone stands; a line in the ledger outside of the database follows before the
caller has the answer. The second is a job: the line, where the object store was away, then other people's files and
texts that mention the person, found by what the tombstone keeps sealed until then. Each part of it is noted in the
tombstone: killed anywhere, the job goes on with the first that is not. Some hours later the first step is done once
more (`remove_late`), for what was under way when it was done.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from apps.core import live
from apps.core.aspects import Subject, registry
from apps.core.clock import now
from apps.core.erasing import ledger
from apps.core.erasing.columns import sweep_columns, sweep_sealed
from apps.core.erasing.traces import Traces
from apps.core.errors import DomainError
from apps.core.ids import USER, public
from apps.core.principal import Principal
from apps.core.sealing import open_sealed, seal
from apps.core.write import Write, write
from apps.users.enums import ErasureReason
from apps.users.errors import ConfirmationWrong, SoleOwner, UserNotFound
from apps.users.models import User, UserManager, UserTombstone
from apps.users.selectors import known_as, unfinished_erasures
from apps.users.services.common import (
    REVOCATIONS,
    hold_owned,
    locked,
    refuse_last_super_admin,
    refuse_yourself,
    target_of,
)

log = structlog.get_logger(__name__)

ERASE_JOB = "users.erase"
FINISH_JOB = "users.finish_erasures"
_SEALED_FOR = "erasure"
_COLUMNS, _SEALED = "columns", "sealed"
_BATCH = 100
_LATE = "late"
# Nothing that was under way at the erasure runs any longer: neither request nor job (CELERY_BROKER_TRANSPORT_OPTIONS).
_LONGEST = timedelta(hours=3)

Progress = Callable[[int, int, str], None]


def erase_user(
    *,
    actor: Principal,
    user_id: UUID,
    confirmation: str,
    reason: ErasureReason = ErasureReason.REQUEST,
    if_match: int | None = None,
) -> UserTombstone:
    """Erases a person. When it returns, the rows that are the person's are gone; a job follows (`finish_erasure`).

    Args:
        confirmation: the person's e-mail address, typed by the caller.
        reason: a code; there is no free text, since it might hold what is to go.

    Raises:
        UserNotFound, UserChanged
        ConfirmationWrong: another address.
        SoleOwner: a live tenant would be left without an owner.
        Yourself, LastSuperAdmin
    """
    with write("user.erase", actor=actor, target=target_of(user_id)) as w:
        user = locked(actor=actor, permission="users.erase", user_id=user_id, if_match=if_match)
        if UserManager.normalize_email(confirmation) != user.email:
            raise ConfirmationWrong(details={"confirmation": [ConfirmationWrong.message]})
        refuse_yourself(actor, user)
        refuse_last_super_admin(user)
        hold_owned(user_id)
        _refuse_blocked(user_id)
        stone = _remove(w, user, at=now(), requested_by=actor.id, reason=reason)
        # After the commit, since nothing goes over the network before; ahead of the answer, since whoever has it is
        # told that a restore will not bring the person back. Where the store is away the job does it.
        transaction.on_commit(lambda: _record_now(stone), robust=True)
        return stone


def erase_again(*, actor: Principal, user_id: UUID, at: datetime, reason: str) -> UserTombstone:
    """Erases a person whom a restored backup has brought back, whatever stands in the way; without the job.

    Args:
        at, reason: of the first erasure, by the ledger.

    Raises:
        UserNotFound: there is nothing to erase.
    """
    with write("user.erase", actor=actor, target=target_of(user_id)) as w:
        user = User.objects.select_for_update(of=("self",)).filter(pk=user_id).first()
        if user is None:
            raise UserNotFound
        code = ErasureReason(reason) if reason in ErasureReason.values else ErasureReason.REQUEST
        w.note(replayed=True)
        return _remove(w, user, at=at, requested_by=actor.id, reason=code)


def _refuse_blocked(user_id: UUID) -> None:
    aspects = registry.of(Subject.USER)
    blockers = [sentence for each in aspects if each.blockers for sentence in each.blockers(user_id)]
    if blockers:
        raise SoleOwner(" ".join(blockers), details={"blockers": blockers})


def _remove(w: Write, user: User, *, at: datetime, requested_by: str, reason: ErasureReason) -> UserTombstone:
    """Inside the write: everything that a key leads to, and the tombstone."""
    user_id, actor = user.pk, w.entry.actor
    sealed = seal(_traces_of(user).to_json().encode(), purpose=_SEALED_FOR)
    # At once and not with `touch`: one of the aspects appends to the trail, and whoever raises a topic locks its row
    # before the head of a chain.
    live.bump([REVOCATIONS])
    removed = {}
    for aspect in registry.of(Subject.USER):
        if aspect.remove is not None:
            removed[aspect.name] = aspect.remove(user_id, actor)
    stone, _ = UserTombstone.objects.update_or_create(
        user_id=user_id,
        defaults={
            "deleted_at": at,
            "requested_by": requested_by,
            "reason_code": reason,
            "removed": removed,
            "sealed_traces": sealed,
            "finished_at": None,
        },
    )
    w.note(reason_code=reason.value, removed=removed)
    w.publish("user.erased", user_id=str(user_id))
    w.enqueue(ERASE_JOB, user_id=str(user_id))
    return stone


def _traces_of(user: User) -> Traces:
    """What the person is known by: name and address, past ones too, but no address that is somebody else's now."""
    known = known_as(user)
    return Traces(
        person_id=user.pk,
        public_id=public(USER, user.pk),
        emails=_nobody_elses(user.pk, map(str.lower, known["email"])),
        name=user.name,
        past_names=tuple(sorted(known["name"] - {user.name})),
    )


def _nobody_elses(user_id: UUID, emails: Iterable[str]) -> tuple[str, ...]:
    """The addresses that are no other person's now."""
    known = set(emails)
    others = User.objects.filter(email__in=known).exclude(pk=user_id)
    return tuple(sorted(known - set(others.values_list("email", flat=True))))


def _record_now(stone: UserTombstone) -> None:
    try:
        ledger.record(_line_of(stone))
    except DomainError as refusal:
        log.warning("erasure_not_in_ledger_yet", user=stone.public_id, error=refusal.code)


def _line_of(stone: UserTombstone) -> ledger.Line:
    return ledger.Line(Subject.USER, stone.user_id, stone.deleted_at, stone.reason_code)


def finish_erasure(*, actor: Principal, user_id: UUID, progress: Progress | None = None) -> dict[str, int]:
    """The second step: the ledger, then whatever else mentions the person. Answers what was removed, by part.

    Safe to run twice and after being killed anywhere.

    Raises:
        UserNotFound: nobody of that id was erased.
        StoreUnavailable: the ledger can't be written; nothing is done, try again.
        SealedUnread: what is sealed can't all be opened; everything else is done.
    """
    stone = UserTombstone.objects.filter(user_id=user_id).first()
    if stone is None:
        raise UserNotFound
    if stone.finished_at is not None or stone.sealed_traces is None:
        return dict(stone.removed)
    ledger.record(_line_of(stone))
    traces = Traces.from_json(open_sealed(bytes(stone.sealed_traces), purpose=_SEALED_FOR).decode())
    # Somebody may have come with one of the addresses since.
    traces = replace(traces, emails=_nobody_elses(user_id, traces.emails))
    parts = [(each.name, each.sweep) for each in registry.of(Subject.USER) if each.sweep is not None]
    # The tables last: what the others leave to them, and what was written meanwhile.
    parts += [(_COLUMNS, sweep_columns), (_SEALED, sweep_sealed)]
    for number, (name, sweep) in enumerate(parts, start=1):
        if f"{name} mentions" not in stone.removed:
            _note(stone, f"{name} mentions", sweep(traces, actor), actor)
        if progress is not None:
            progress(number, len(parts), name)
    with write("user.erased", actor=actor, target=stone.audit_target()) as w:
        stone.sealed_traces, stone.finished_at = None, now()
        stone.save(update_fields=["sealed_traces", "finished_at"])
        w.note(removed=stone.removed)
    return dict(stone.removed)


def _note(stone: UserTombstone, part: str, count: int, actor: Principal) -> None:
    with write("user.erase_part", actor=actor, target=stone.audit_target()) as w:
        stone.removed = {**stone.removed, part: count}
        stone.save(update_fields=["removed"])
        w.note(part=part, changed=count)


def finish_erasures(*, actor: Principal) -> int:
    """Goes on with erasures whose job has given up; how many were finished.

    Raises:
        DomainError: of the first that can't be finished now; the others are all the same.
    """
    found = list(unfinished_erasures().values_list("user_id", flat=True)[:_BATCH])
    refusals = []
    for user_id in found:
        try:
            finish_erasure(actor=actor, user_id=user_id)
        except DomainError as refusal:
            refusals.append(refusal)
    if refusals:
        raise refusals[0]
    return len(found)


def remove_late(*, actor: Principal) -> int:
    """Removes once more whatever a key leads to, some hours after an erasure; how many erasures were looked at.

    A request or a job of the person that was under way then may have written after the first step: a row of the
    trail with who they are. Killed half-way, the next call goes on.
    """
    over = UserTombstone.objects.filter(finished_at__lte=now() - _LONGEST).exclude(removed__has_key=_LATE)
    found = list(over.order_by("finished_at").values_list("user_id", flat=True)[:_BATCH])
    for user_id in found:
        with write("user.erase_part", actor=actor, target=target_of(user_id)) as w:
            stone = UserTombstone.objects.select_for_update().get(user_id=user_id)
            aspects = registry.of(Subject.USER)
            count = sum(each.remove(user_id, actor) for each in aspects if each.remove is not None)
            stone.removed = {**stone.removed, _LATE: count}
            stone.save(update_fields=["removed"])
            w.note(part=_LATE, changed=count)
    return len(found)
