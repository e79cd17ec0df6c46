"""The verifications of the trail: what they found, the anchors, asking for one, and the line on the home page."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.audit.anchors import manifest
from apps.audit.anchors.taking import take_anchor
from apps.audit.enums import Verdict
from apps.audit.examination import verify_trail
from apps.audit.models import AuditAnchor, AuditEntry, AuditVerification
from apps.backoffice.home import board
from apps.core.clock import now
from apps.core.jobs import runner
from apps.core.models import Job
from apps.core.objectstore import store
from apps.core.principal import system
from tests.audit.conftest import append, by_owner
from tests.backoffice.visits import visitor
from tests.factories import staff_principal

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = system("scheduler")


@pytest.fixture(autouse=True)
def _own_store(settings: Settings, tmp_path: Path) -> None:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"


def told(*roles: str) -> list[str]:
    """What the home page says of the trail."""
    found = [
        matters for matters in board(staff_principal(*roles)).matters if matters.title == "The audit trail"
    ]
    return [str(matter.label) for matters in found for matter in matters.matters]


def test_verification_of_an_intact_trail_is_kept_and_needs_nobody() -> None:
    append(3)
    take_anchor(actor=SYSTEM)
    row = verify_trail(actor=SYSTEM)
    assert (row.verdict, row.rows, row.chains, row.anchors, row.newest_anchor) == (Verdict.INTACT, 4, 1, 1, 1)
    assert told("super_admin") == []
    page = visitor("super_admin").get(f"/backoffice/verifications/{row.public_id}/").content.decode()
    assert "intact" in page
    anchors = (
        visitor("super_admin").get(f"/backoffice/verifications/{row.public_id}/?tab=anchors").content.decode()
    )
    assert "Anchor 1 lies in the object store, and its signature is right." in anchors


def test_verification_that_finds_a_broken_chain_stands_on_the_home_page_of_who_may_read_the_trail() -> None:
    append(3)
    by_owner("UPDATE audit_entry SET action = 'other' WHERE seq = 2")
    row = verify_trail(actor=SYSTEM)
    assert (row.verdict, row.findings) == (
        Verdict.BROKEN,
        ["platform: broken at row 2: its content was changed"],
    )
    assert told("super_admin") == ["Broken: platform: broken at row 2: its content was changed"]
    assert told("admin", "ops") == []
    page = visitor("super_admin").get(f"/backoffice/verifications/{row.public_id}/").content.decode()
    assert "broken at row 2" in page


def test_anchor_that_was_exchanged_in_the_store_is_shown() -> None:
    append(1)
    take_anchor(actor=SYSTEM)
    row = verify_trail(actor=SYSTEM)
    store().put(manifest.key_of(1), [b"{}"])
    page = (
        visitor("super_admin").get(f"/backoffice/verifications/{row.public_id}/?tab=anchors").content.decode()
    )
    assert "Anchor 1, the newest: Anchor 1 can&#x27;t be read." in page


def test_anchors_that_ceased_stand_on_the_home_page() -> None:
    append(1)
    take_anchor(actor=SYSTEM)
    AuditAnchor.objects.update(taken_at=now() - timedelta(hours=4))
    assert told("super_admin") == ["No anchor since number 1"]


def test_verification_asked_for_in_the_back_office_is_done_by_a_job_with_progress() -> None:
    append(2)
    client = visitor("super_admin")
    for _ in range(2):
        assert (
            client.post("/backoffice/verifications/verify/", {"reason": "before the audit"}).status_code < 400
        )
    [job] = Job.objects.filter(name="audit.verify")
    runner.run(str(job.id))
    job.refresh_from_db()
    row = AuditVerification.objects.get()
    assert (job.status, job.result) == ("completed", {"verdict": "intact"})
    assert job.progress == {"done": row.rows, "total": row.rows, "note": ""}
    assert row.asked_by.startswith("usr_")
    assert AuditEntry.objects.filter(action="audit.request_verification").count() == 2
    assert (
        visitor("support").post("/backoffice/verifications/verify/", {"reason": "why not"}).status_code >= 400
    )
