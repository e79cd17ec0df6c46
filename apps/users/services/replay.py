"""After a restore: erasures and purges that the ledger knows and the restored database has forgotten, done again.

In this process and without a worker, whatever stands in the way of a first erasure: it was decided then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from apps.core.aspects import Subject
from apps.core.erasing import ledger
from apps.core.errors import DomainError
from apps.core.ids import TENANT, USER, public
from apps.core.principal import Principal
from apps.tenants.models import Tenant
from apps.tenants.services.purging import purge_again
from apps.users.models import User, UserTombstone
from apps.users.services.erasure import erase_again, finish_erasure


class Outcome(StrEnum):
    KEPT = "kept"  # the database holds nothing of it
    DUE = "due"  # it would be erased (dry run)
    ERASED = "erased"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one line of the ledger.

    Attributes:
        what: the public id; of a line that can't be read, the object's key.
        sentence: why it failed.
    """

    what: str
    outcome: Outcome
    sentence: str = ""


def replay_erasures(*, actor: Principal, dry_run: bool = False) -> Iterator[Replayed]:
    """Walks the whole ledger, oldest first, and erases again what is there. Safe to run again at any time.

    Raises:
        StoreUnavailable: the ledger can't be read.
    """
    for line in ledger.lines():
        if isinstance(line, ledger.LedgerWrong):
            yield Replayed("a line of the ledger", Outcome.FAILED, line.message)
            continue
        prefix = USER if line.subject is Subject.USER else TENANT
        name = public(prefix, line.subject_id)
        if not _is_held(line):
            yield Replayed(name, Outcome.KEPT)
        elif dry_run:
            yield Replayed(name, Outcome.DUE)
        else:
            yield _again(name, line, actor)


def _again(name: str, line: ledger.Line, actor: Principal) -> Replayed:
    try:
        if line.subject is Subject.USER:
            _person(line, actor)
        else:
            purge_again(actor=actor, tenant_id=line.subject_id, at=line.at)
    except DomainError as refusal:
        return Replayed(name, Outcome.FAILED, refusal.message)
    return Replayed(name, Outcome.ERASED)


def _is_held(line: ledger.Line) -> bool:
    if line.subject is Subject.TENANT:
        return Tenant.objects.filter(id=line.subject_id).exists()
    return User.objects.filter(pk=line.subject_id).exists() or _is_open(line.subject_id)


def _is_open(user_id: UUID) -> bool:
    """True for an erasure of which the backup holds the first step alone."""
    return UserTombstone.objects.filter(
        user_id=user_id, finished_at=None, sealed_traces__isnull=False
    ).exists()


def _person(line: ledger.Line, actor: Principal) -> None:
    if User.objects.filter(pk=line.subject_id).exists():
        erase_again(actor=actor, user_id=line.subject_id, at=line.at, reason=line.reason_code)
    finish_erasure(actor=actor, user_id=line.subject_id)
