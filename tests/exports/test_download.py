"""The door to files, over HTTP."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.jobs import runner
from apps.core.models import Job
from apps.exports import selectors, services
from apps.exports.models import Export
from apps.users.models import User
from tests.factories import make_staff
from tests.surfaces.callers import by_session, by_token

pytestmark = pytest.mark.django_db


def made(user: User) -> tuple[Export, str]:
    """A file that the person asked for, and the path of its link."""
    export = services.request_export(
        actor=user.principal(via="backoffice", address=None), kind="tests.numbers", params={"number": 2}
    )
    runner.run(str(Job.objects.get(unique_key=export.job_key).id))
    export.refresh_from_db()
    url = urlsplit(selectors.facts(export)["download_url"])
    return export, f"{url.path}?{url.query}"


@pytest.mark.parametrize("by", [by_session, by_token])
def test_requester_fetches_the_file_as_an_attachment(by: object) -> None:
    user = make_staff("admin")
    export, path = made(user)
    assert callable(by)
    response = by(user).get(path)
    assert response.status_code == 200
    body = b"".join(response)
    assert response["Content-Length"] == str(len(body)) == str(export.size)
    assert response["Content-Disposition"] == f'attachment; filename="{export.filename}"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert (response["Cache-Control"], response["X-Content-Type-Options"]) == ("no-store", "nosniff")
    entry = AuditEntry.objects.get(action="export.download")
    assert (entry.actor_id, entry.via) == (user.public_id, "platform")


def test_somebody_else_gets_what_a_missing_export_gets() -> None:
    export, path = made(make_staff("admin"))
    client = by_token(make_staff("admin"))
    other = client.get(path)
    missing = client.get(path.replace(export.public_id, "exp_01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    assert other.status_code == missing.status_code == 404
    bodies = [response.json()["error"] for response in (other, missing)]
    assert [body["code"] for body in bodies] == ["NOT_FOUND", "NOT_FOUND"]
    assert bodies[0]["message"] == bodies[1]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "expires=1",
        "expires=x&signature=0",
        "expires=٤&signature=0",
        "expires=1&signature=ä",
        "expires=9" * 9,
    ],
)
def test_link_that_is_none_is_refused(query: str) -> None:
    user = make_staff("admin")
    _, path = made(user)
    response = by_token(user).get(f"{path.partition('?')[0]}?{query}")
    assert response.status_code == 403
    assert response.json()["success"] is False


def test_browser_is_sent_to_sign_in_and_a_program_is_told() -> None:
    _, path = made(make_staff("admin"))
    browser = Client().get(path, headers={"Accept": "text/html"})
    assert browser.status_code == 302
    assert browser["Location"].startswith("/accounts/login/?next=%2Fdownloads%2Fexports%2F")
    program = Client(headers={"Accept": "application/json"}).get(path)
    assert (program.status_code, program.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert Client(headers={"Authorization": "Bearer x"}).get(path).status_code == 401


def test_door_only_reads() -> None:
    user = make_staff("admin")
    _, path = made(user)
    assert by_token(user).post(path).status_code == 405
