"""What the trail holds about a person. Of a tenant it keeps everything: it outlives those whom it tells of."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from apps.audit.models import AuditDetail
from apps.audit.selectors import entries_of_person, streamed
from apps.audit.services import shred
from apps.core.aspects import Aspect, Subject, register
from apps.core.clock import iso
from apps.core.erasing.traces import Traces
from apps.core.ids import USER, public
from apps.core.principal import Principal


def _summary(user_id: UUID) -> dict[str, Any]:
    return {"trail_details": AuditDetail.objects.filter(person_id=user_id).count()}


def _export(user_id: UUID) -> Iterator[dict[str, Any]]:
    """What they did and what was done to them. Who else acted, from where and why is that one's own matter."""
    public_id = public(USER, user_id)
    for row in streamed(entries_of_person(user_id, public_id)):
        entry, did, about = row.entry, row.entry.actor_id == public_id, row.entry.person_id == user_id
        yield {
            "at": iso(entry.at),
            "action": entry.action,
            "resource": f"{entry.resource_type} {entry.resource_id}".strip(),
            "outcome": entry.outcome,
            "by": public_id if did else entry.actor_kind,
            "address": row.address if did else None,
            "reason": row.reason if did or about else "",
            "before": row.before if about else {},
            "after": row.after if about else {},
        }


def _erase(user_id: UUID, actor: Principal) -> int:
    return shred(actor=actor, person_id=user_id, public_id=public(USER, user_id))


def _sweep(traces: Traces, actor: Principal) -> int:
    """Details of others in which the person's address stands: a tenant's owner, a reason."""
    gone = shred(actor=actor, person_id=traces.person_id, public_id=traces.public_id, emails=traces.emails)
    for name in traces.names:
        gone += shred(actor=actor, person_id=traces.person_id, public_id=traces.public_id, name=name)
    return gone


def install() -> None:
    """Registers the aspect (apps.audit.apps). Last: whatever the others wrote is shredded too."""
    register(
        Aspect(
            name="audit.details",
            subject=Subject.USER,
            models=["audit.AuditDetail"],
            summary=_summary,
            export=_export,
            remove=_erase,
            sweep=_sweep,
            order=950,
        )
    )
