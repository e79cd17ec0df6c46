"""The end of a tenant: every store emptied, one after the other, then the row; a tombstone stays.

A purge is a row of its own and a job that can be killed anywhere. Each store (an aspect of the tenant,
apps.core.aspects) is emptied in one transaction together with its line in `Purge.removed`, what it holds outside of
the database before that: what has a line is done, what has none is done again. The tombstone, in the transaction that
removes the tenant's row, comes last, and only where no table names the tenant any longer. A line in the ledger outside
of the database (apps.core.erasing) comes before all that, a signed receipt after it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.core.aspects import Aspect, Subject, registry
from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.erasing import ledger
from apps.core.errors import Conflict, NotFound
from apps.core.ids import TENANT, new_id, public
from apps.core.models import Job
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.tenants import events
from apps.tenants.enums import PurgeStatus, TenantStatus
from apps.tenants.errors import BeingPurged, PurgeBlocked, PurgeIncomplete, TenantNotFound
from apps.tenants.models import Purge, Tenant, TenantTombstone
from apps.tenants.services.manifest import count_store, left_over
from apps.tenants.services.receipts import issue_receipt
from apps.tenants.services.rows import hold, target_of
from apps.tenants.services.status import cancel_held

PURGE_JOB = "tenants.purge"
# The store that the tenant's own row counts for.
OWN_STORE = "tenants"
_BATCH = 100
_BROUGHT_BACK = "It was purged before; a backup had brought it back."

Progress = Callable[[int, int, str], None]


def start_purge(*, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None) -> Purge:
    """Begins the removal of a tenant and all that belongs to it; one that is not cancelled yet is, as part of it.

    A purge that runs already is answered as it is.

    Raises:
        PurgeBlocked: somebody objects; `details["blockers"]` has the sentences.
        InvalidTransition: a tenant that is still being provisioned.
        TenantNotFound, PreconditionFailed: see `hold`.
    """
    running = Purge.objects.filter(tenant_id=tenant_id, status=PurgeStatus.RUNNING).first()
    if running is not None:
        return running
    with write("tenant.purge", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        refuse_blocked(tenant_id)
        if tenant.status != TenantStatus.CANCELLED:
            cancel_held(w, tenant, actor=actor, reason=reason)
        purge = _begin(tenant, actor=actor, reason=reason, at=now())
        w.note(purge_id=str(purge.id))
        # Not a job of the tenant: those are removed with it.
        w.enqueue(PURGE_JOB, unique_key=f"purge:{purge.id}", purge_id=str(purge.id))
    return purge


def refuse_blocked(tenant_id: UUID) -> None:
    """Raises PurgeBlocked where an aspect says why the tenant can't go yet."""
    blockers = [
        sentence
        for aspect in registry.of(Subject.TENANT)
        if aspect.blockers is not None
        for sentence in aspect.blockers(tenant_id)
    ]
    if blockers:
        raise PurgeBlocked(details={"blockers": blockers})


def run_purge(*, actor: Principal, purge_id: UUID, progress: Progress | None = None) -> dict[str, int]:
    """Empties the stores that are not empty yet, then sets the tombstone. Answers the manifest.

    Safe to run twice and after being killed anywhere.

    Raises:
        NotFound: no such purge.
        PurgeBlocked: somebody objects before the first store was emptied.
    """
    purge = Purge.objects.filter(id=purge_id).first()
    if purge is None:
        raise NotFound("There is no such purge.")
    if purge.status == PurgeStatus.DONE:
        issue_receipt(actor=actor, purge_id=purge.id)
        return dict(purge.removed)
    if not purge.removed:
        refuse_blocked(purge.tenant_id)
    return _run(purge, actor, progress)


def purge_again(*, actor: Principal, tenant_id: UUID, at: datetime) -> dict[str, int]:
    """Purges a tenant that a restored backup has brought back, whatever stands in the way; without the job.

    Args:
        at: of the first purge, by the ledger.

    Raises:
        TenantNotFound: there is nothing to purge.
    """
    with write("tenant.purge", actor=actor, target=target_of(tenant_id), reason=_BROUGHT_BACK) as w:
        tenant = Tenant.objects.select_for_update().filter(id=tenant_id).first()
        if tenant is None:
            raise TenantNotFound
        purge = Purge.objects.filter(tenant_id=tenant_id, status=PurgeStatus.RUNNING).first()
        purge = purge or _begin(tenant, actor=actor, reason=_BROUGHT_BACK, at=at)
        w.note(purge_id=str(purge.id), replayed=True)
    return _run(purge, actor, None)


def _begin(tenant: Tenant, *, actor: Principal, reason: str, at: datetime) -> Purge:
    # Without label and address: this row stays when people go.
    asked_by = {"kind": actor.kind.value, "id": actor.id}
    return Purge.objects.create(
        id=new_id(), tenant_id=tenant.id, slug=tenant.slug, reason=reason, actor=asked_by, started_at=at
    )


def _run(purge: Purge, actor: Principal, progress: Progress | None) -> dict[str, int]:
    """The ledger first: what begins here is never forgotten by a restore."""
    ledger.record(ledger.Line(Subject.TENANT, purge.tenant_id, purge.started_at))
    stores = [aspect for aspect in registry.of(Subject.TENANT) if aspect.remove is not None]
    for number, aspect in enumerate(stores):
        if not _is_empty(purge, aspect):
            if aspect.outside is not None:
                aspect.outside(purge.tenant_id, actor)
            purge = _empty(purge.id, aspect, actor)
        if progress is not None:
            progress(number + 1, len(stores) + 1, aspect.name)
    removed = _set_tombstone(purge.id, actor)
    issue_receipt(actor=actor, purge_id=purge.id)
    return removed


def _is_empty(purge: Purge, aspect: Aspect) -> bool:
    """True for a store that is in the manifest, and in which nobody wrote anything since. The tenant's own row stays
    until the tombstone."""
    kept = 1 if aspect.name == OWN_STORE else 0
    return aspect.name in purge.removed and count_store(aspect, purge.tenant_id) <= kept


def _empty(purge_id: UUID, aspect: Aspect, actor: Principal) -> Purge:
    purge = Purge.objects.get(id=purge_id)
    target = target_of(purge.tenant_id)
    with write("tenant.purge_store", actor=actor, target=target, reason=purge.reason) as w:
        purge = Purge.objects.select_for_update().get(id=purge_id)
        if _is_empty(purge, aspect) or aspect.remove is None:
            return purge
        found = count_store(aspect, purge.tenant_id)
        gone = aspect.remove(purge.tenant_id, actor)
        purge.found = {**purge.found, aspect.name: purge.found.get(aspect.name, 0) + found}
        purge.removed = {**purge.removed, aspect.name: purge.removed.get(aspect.name, 0) + gone}
        purge.save(update_fields=["found", "removed"])
        w.note(purge_id=str(purge.id), store=aspect.name, found=found, removed=gone)
    return purge


def _set_tombstone(purge_id: UUID, actor: Principal) -> dict[str, int]:
    tenant_id = Purge.objects.get(id=purge_id).tenant_id
    with write("tenant.purged", actor=actor, target=target_of(tenant_id)) as w:
        purge = Purge.objects.select_for_update().get(id=purge_id)
        tenant = Tenant.objects.select_for_update().filter(id=tenant_id).first()
        if purge.status == PurgeStatus.DONE or tenant is None:
            return dict(purge.removed)
        TenantTombstone.objects.create(
            tenant_id=tenant.id, slug=tenant.slug, was_test=tenant.is_test, purge=purge, deleted_at=now()
        )
        tenant.delete()
        left = left_over(tenant_id)
        if left:
            raise PurgeIncomplete(details={"remaining": left})
        purge.removed = {**purge.removed, OWN_STORE: purge.removed.get(OWN_STORE, 0) + 1}
        purge.status = PurgeStatus.DONE
        purge.finished_at = now()
        purge.save(update_fields=["removed", "status", "finished_at"])
        w.note(purge_id=str(purge.id), removed=purge.removed)
        w.publish(events.PURGED, tenant_id=str(tenant_id))
        w.touch(events.ATTRIBUTES_TOPIC)
    return dict(purge.removed)


def purge_expired_tests(*, actor: Principal) -> dict[str, Any]:
    """Begins the purge of every test tenant whose time is over; one that can't go now is reported, not removed.

    Each is a write of its own: killed half-way, the next run begins the rest.
    """
    due = Tenant.objects.filter(is_test=True, test_expires_at__lte=now())
    under_way = Purge.objects.filter(status=PurgeStatus.RUNNING).values("tenant_id")
    begun, blocked = 0, []
    for tenant_id in list(
        due.exclude(id__in=under_way).order_by("test_expires_at").values_list("id", flat=True)
    ):
        try:
            start_purge(actor=actor, tenant_id=tenant_id, reason="The test tenant has expired.")
            begun += 1
        except (BeingPurged, TenantNotFound):
            continue
        except Conflict:
            blocked.append(public(TENANT, tenant_id))
    return {"begun": begun, "blocked": blocked, "resumed": resume_purges(actor=actor)}


def resume_purges(*, actor: Principal) -> int:
    """Asks again for purges whose job has given up; how many."""
    resumed = 0
    unfinished = Q(status=PurgeStatus.RUNNING) | Q(receipt_sha256="")
    for purge in Purge.objects.filter(unfinished).order_by("started_at")[:_BATCH]:
        waiting = Job.objects.filter(
            name=PURGE_JOB,
            args__purge_id=str(purge.id),
            status__in=[JobStatus.WAITING, JobStatus.ACTIVE],
        )
        if waiting.exists():
            continue
        target = Target(type="purge", id=str(purge.id))
        with write("tenant.resume_purge", actor=actor, target=target) as w:
            w.enqueue(PURGE_JOB, purge_id=str(purge.id))
        resumed += 1
    return resumed
