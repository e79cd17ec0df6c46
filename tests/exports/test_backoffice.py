"""The exports' pages and dialog."""

import pytest
from django.test import Client

from apps.core.jobs import runner
from apps.core.models import Job
from apps.exports.models import Export
from apps.users.models import User
from tests.backoffice.visits import visitor
from tests.factories import make_staff
from tests.users.support import sign_in

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    sign_in(client, user)
    return client


def test_export_is_asked_for_watched_and_downloaded() -> None:
    client = browser(make_staff("super_admin"))
    asked = client.post(
        "/backoffice/exports/new/",
        {
            "kind": "audit-trail",
            "format": "csv",
            "reason": "for the auditors",
            "audit-trail.since": "2026-01-01",
            "audit-trail.action": "export",
            "users.role": "owner",
        },
        follow=True,
    )
    row = Export.objects.get()
    assert row.params == {"since": "2026-01-01T00:00:00+00:00", "action": "export"}
    assert f"/backoffice/exports/{row.public_id}/" in asked.redirect_chain[0][0]
    runner.run(str(Job.objects.get(unique_key=row.job_key).id))
    page = client.get(f"/backoffice/exports/{row.public_id}/").content.decode()
    start = page.index("/downloads/exports/")
    link = page[start : page.index('"', start)].replace("&amp;", "&")
    answer = client.get(link)
    assert answer.status_code == 200
    assert b"".join(answer).startswith(b"at,chain,seq")


def test_dialog_offers_what_the_role_may_export_and_refuses_the_rest() -> None:
    support = visitor("support")
    offered = support.get("/backoffice/exports/new/").content.decode()
    assert "Users" in offered
    assert "Audit trail" not in offered
    assert "masked" in offered
    refused = support.post(
        "/backoffice/exports/new/", {"kind": "audit-trail", "format": "csv", "reason": "curious"}
    )
    assert refused.status_code == 400
    wrong = support.post(
        "/backoffice/exports/new/",
        {"kind": "users", "format": "csv", "reason": "a ticket", "users.tenant_id": "acme"},
    )
    assert (wrong.status_code, "not a tenant" in wrong.content.decode()) == (400, True)
    assert not Export.objects.exists()


def test_list_shows_ones_own_and_to_super_admin_all() -> None:
    asker = make_staff("admin")
    browser(asker).post("/backoffice/exports/new/", {"kind": "users", "format": "json", "reason": "a ticket"})
    row = Export.objects.get()
    for client, status in ((browser(asker), 200), (visitor("admin"), 404), (visitor("super_admin"), 200)):
        assert client.get(f"/backoffice/exports/{row.public_id}/").status_code == status
        assert (row.public_id in client.get("/backoffice/exports/").content.decode()) is (status == 200)
