"""What is done to a Steward in the drill, in processes of its own (START).

Each act prints one line of JSON; what must be remembered from one to the next stands in the file STEWARD_DRILL_NOTES.
"""

import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from apps.audit.models import AuditDetail
from apps.core.principal import system
from apps.tenants.models import Tenant, TenantTombstone
from apps.tenants.services import provision_tenant, run_purge, start_purge, suspend_tenant
from apps.users.models import User, UserTombstone
from apps.users.services import create_user, erase_user, finish_erasure, suspend_user

START = "import sys, django; django.setup(); from tests.drills import acts; acts.main(sys.argv[1:])"
ACTOR = system("drill")
NOTES = Path(os.environ.get("STEWARD_DRILL_NOTES", "notes.json"))
PERSON = "olga.forgotten@people.example"
LATER = "pia.later@people.example"


def _notes() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(NOTES.read_text()) if NOTES.exists() else {}
    return found


def _note(**more: Any) -> None:
    NOTES.write_text(json.dumps(_notes() | more))


def _run(*line: str) -> dict[str, Any]:
    """A command with its exit status, as a shell would see it."""
    said = io.StringIO()
    code: Any = 0
    try:
        call_command(*line, stdout=said)
    except SystemExit as ended:
        code = ended.code or 0
    except CommandError as refused:
        code = 1
        said.write(str(refused))
    return {"code": int(code), "said": said.getvalue()}


def before() -> None:
    """People and tenants that the base backup holds; one of each is to go."""
    for number in range(5):
        create_user(actor=ACTOR, email=f"person{number}@people.example", name=f"Person {number}")
    person = create_user(actor=ACTOR, email=PERSON, name="Olga Forgotten")
    later = create_user(actor=ACTOR, email=LATER, name="Pia Later")
    tenants = [_tenant(number) for number in range(3)]
    _run("audit_anchor")
    _note(person=str(person.pk), later=str(later.pk), tenant=str(tenants[0]))


def _tenant(number: int) -> UUID:
    made = provision_tenant(
        actor=ACTOR,
        plan="starter",
        company_name=f"Company {number}",
        owner_email=f"owner{number}@people.example",
    )
    return made.tenant.pk


def after() -> None:
    """What only the write-ahead log holds."""
    for number in range(5, 9):
        user = create_user(actor=ACTOR, email=f"person{number}@people.example", name=f"Person {number}")
        suspend_user(actor=ACTOR, user_id=user.pk, reason="drill")
    suspend_tenant(actor=ACTOR, tenant_id=_tenant(9), reason="drill")
    suspend_user(actor=ACTOR, user_id=UUID(_notes()["person"]), reason="asked by Olga Forgotten herself")
    _run("audit_anchor")


def erase() -> None:
    """The person and the tenant go; then the clock strikes another anchor."""
    notes = _notes()
    person, tenant = UUID(notes["person"]), UUID(notes["tenant"])
    erase_user(actor=ACTOR, user_id=person, confirmation=PERSON)
    finish_erasure(actor=ACTOR, user_id=person)
    purge = start_purge(actor=ACTOR, tenant_id=tenant, reason="drill")
    run_purge(actor=ACTOR, purge_id=purge.id)
    _run("audit_anchor")
    create_user(actor=ACTOR, email="last@people.example", name="After the last anchor")


def answer() -> None:
    """Somebody is told of an erasure, and the server dies before its job begins."""
    erase_user(actor=ACTOR, user_id=UUID(_notes()["later"]), confirmation=LATER)


def look() -> dict[str, Any]:
    """How many rows each table has, and what is left of those who went."""
    notes = _notes()
    person, tenant = UUID(notes["person"]), UUID(notes["tenant"])
    return {
        "counts": {table: _asked("SELECT count(*) FROM {}", table) for table in _tables()},
        "person": User.objects.filter(pk=person).exists(),
        "later": User.objects.filter(pk=notes["later"]).exists(),
        "tenant": Tenant.objects.filter(pk=tenant).exists(),
        "tombstones": [
            UserTombstone.objects.filter(user_id=person).count(),
            TenantTombstone.objects.filter(tenant_id=tenant).count(),
        ],
        "mentions": _mentions("Olga", "olga.forgotten"),
        "details": AuditDetail.objects.filter(person_id=person).exclude(body=_EMPTY).count(),
    }


_EMPTY = '{"after":{},"before":{},"reason":""}'


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        return sorted(connection.introspection.table_names(cursor))


def _asked(question: str, table: str, *words: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question.format(connection.ops.quote_name(table)), words)
        row = cursor.fetchone()
    return row[0] if row else None


def _mentions(*words: str) -> list[str]:
    """Tables in which a word stands in any column."""
    question = "SELECT EXISTS (SELECT 1 FROM {} t WHERE t::text ILIKE '%%' || %s || '%%')"
    return [table for table in _tables() if any(_asked(question, table, word) for word in words)]


def restored() -> dict[str, Any]:
    """The operator's procedure up to the point at which the anchors decide."""
    return {
        "migrate": _run("migrate", "--check"),
        "verify": _run("audit_verify", "--anchors"),
        "dry": _run("erasures_replay", "--dry-run"),
        "replay": _run("erasures_replay"),
        "again": _run("erasures_replay"),
    }


def accept() -> dict[str, Any]:
    """What follows a restore to an older state."""
    return {
        "refused": _run("audit_anchor"),
        "accepted": _run("audit_anchor", "--after-restore", "disk failed, restored to the state before"),
        "verify": _run("audit_verify", "--anchors"),
    }


def main(acts: Sequence[str]) -> None:
    """Runs the acts that are named, in order."""
    known = {act.__name__: act for act in (before, after, erase, answer, look, restored, accept)}
    sys.stdout.write(json.dumps([known[name]() for name in acts]) + "\n")
