"""Appending to the trail, and asking for its verification."""

import json
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.audit.canonical import canonical, commitment, entry_text
from apps.audit.enums import Part
from apps.core.access import allows
from apps.core.clock import now
from apps.core.errors import Forbidden
from apps.core.ids import new_id
from apps.core.observability.context import correlation_id, request_id
from apps.core.principal import Principal
from apps.core.statements import Statement
from apps.core.write import Entry, Target, write

PLATFORM_CHAIN = "platform"
VERIFY = "audit.verify"
_ONE_ASKED = timedelta(minutes=1)
_APPEND = Statement("SELECT audit_append(%s::jsonb)")


def chain_of(tenant_id: UUID | None) -> str:
    """The chain that a row goes to: the tenant's, or the platform's."""
    return f"tenant:{tenant_id}" if tenant_id else PLATFORM_CHAIN


def append(entries: list[Entry]) -> None:
    """Appends rows inside the present transaction, as its last statement; chains are locked in sorted order.

    Raises:
        django.db.DatabaseError: the trail refused; the caller rolls back.
    """
    rows = sorted((_row(entry) for entry in entries), key=lambda row: str(row["chain"]))
    _APPEND.run(json.dumps(rows))


def shred(
    *, actor: Principal, person_id: UUID, public_id: str, emails: Sequence[str] = (), name: str = ""
) -> int:
    """Removes the personal details of a person, those that bear one of the addresses too, and of what they did
    themselves those that bear their name; answers how many went.

    The other part of the same entries stays, and every chain stays valid: entries hold commitments. Where anything
    goes, a row `audit.shred` is appended by the same statement: no write has to stand around it.

    Raises:
        django.db.DatabaseError: the trail refused; the caller rolls back.
    """
    target = Target(type="user", id=public_id, person_id=person_id)
    witness = Entry(
        at=now(),
        actor=actor,
        action="audit.shred",
        target=target,
        request_id=request_id(),
        correlation_id=correlation_id(),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT audit_shred(%s, %s::text[], %s, %s::jsonb)",
            [
                person_id,
                [canonical(email)[1:-1] for email in emails],
                canonical(name)[1:-1],
                json.dumps([_row(witness)]),
            ],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def request_verification(*, actor: Principal, reason: str) -> None:
    """Asks for a verification of the whole trail; of several within one minute one is done.

    Raises:
        Forbidden: the caller may not read the trail.
    """
    if not allows(actor, "audit.read"):
        raise Forbidden
    minute = int(now().timestamp() // _ONE_ASKED.total_seconds())
    whole = Target(type="audit_trail", id="all")
    with write("audit.request_verification", actor=actor, target=whole, reason=reason) as w:
        w.enqueue(VERIFY, unique_key=f"{VERIFY}:{minute}")


def _row(entry: Entry) -> dict[str, Any]:
    actor, target = entry.actor, entry.target
    details = [
        _detail(Part.ACTOR, actor.user_id, {"label": actor.label, "address": actor.address}),
        _detail(
            Part.SUBJECT,
            target.person_id,
            {"reason": entry.reason, "before": entry.before, "after": entry.after},
        ),
    ]
    fields: dict[str, Any] = {
        "id": new_id(),
        "at": entry.at,
        "actor_kind": actor.kind.value,
        "actor_id": actor.id,
        "via": actor.via,
        "action": entry.action,
        "resource_type": target.type,
        "resource_id": target.id,
        "tenant_id": target.tenant_id,
        "person_id": target.person_id,
        "outcome": entry.outcome.value,
        "metadata": entry.metadata,
        "request_id": entry.request_id,
        "correlation_id": entry.correlation_id,
        "actor_commitment": details[0]["commitment"],
        "subject_commitment": details[1]["commitment"],
    }
    text = entry_text(fields)
    return {"chain": chain_of(target.tenant_id), "text": text, "details": details}


def _detail(part: Part, person_id: UUID | None, body: dict[str, Any]) -> dict[str, Any]:
    salt = secrets.token_bytes(16)
    text = canonical(body)
    return {
        "part": part.value,
        "person_id": str(person_id) if person_id else None,
        "salt": salt.hex(),
        "body": text,
        "commitment": commitment(salt, text).hex(),
    }
