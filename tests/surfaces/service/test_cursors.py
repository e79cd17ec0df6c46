"""History: pages by a signed cursor."""

import base64

import pytest
from django.test import Client

from apps.core.clock import now
from apps.core.ids import new_id
from apps.surfaces.kit import cursors
from tests.surfaces.service.answers import CONFIG, refused, sent

pytestmark = pytest.mark.django_db

HISTORY = f"{CONFIG}/global.session_idle_minutes/history"


def page(client: Client, query: str) -> tuple[list[str], str | None]:
    response = client.get(f"{HISTORY}?{query}")
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == {"data", "nextCursor"}
    return [row["newValue"] for row in body["data"]], body["nextCursor"]


def test_pages_follow_each_other_while_the_list_grows(admin: Client) -> None:
    for value in range(40, 47):
        sent(admin, value=str(value))
    first, cursor = page(admin, "limit=3")
    assert cursor is not None
    assert cursor.startswith("cur_")
    sent(admin, value="60")
    second, cursor = page(admin, f"limit=3&cursor={cursor}")
    third, end = page(admin, f"limit=3&cursor={cursor}")
    assert first + second + third == ["46", "45", "44", "43", "42", "41", "40"]
    assert end is None


def test_a_last_page_that_is_full_has_no_next(admin: Client) -> None:
    for value in ("40", "41"):
        sent(admin, value=value)
    assert page(admin, "limit=2") == (["41", "40"], None)


def test_a_cursor_of_another_list_or_made_up_is_refused(admin: Client) -> None:
    for value in ("40", "41"):
        sent(admin, value=value)
        sent(admin, key="logs.retention_days", value=value)
    _, cursor = page(admin, "limit=1")
    assert cursor is not None
    body = cursor.removeprefix("cur_")
    raw = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    raw[-1] ^= 1
    changed = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'[["u","00"]]').decode()
    other = f"{CONFIG}/logs.retention_days/history"
    for path, forged in [
        (other, cursor),
        (HISTORY, f"cur_{changed}"),
        (HISTORY, f"cur_{unsigned}"),
        (HISTORY, cursor[:-1]),
        (HISTORY, cursor + "A"),
        (HISTORY, body),
        (HISTORY, "cur_"),
        (HISTORY, "cur_!!!!"),
        (HISTORY, "cur_%F0%9F%98%80"),
        (HISTORY, ""),
        (HISTORY, "x" * 3000),
    ]:
        error = refused(admin.get(f"{path}?cursor={forged}"), 400, "ADM_CURSOR_INVALID")
        assert set(error["details"]) == {"cursor"}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=101", "limit=x", "limit=1&limit=2", "page=1", "pageSize=5"]
)
def test_a_wrong_parameter_of_the_history_is_refused(admin: Client, query: str) -> None:
    sent(admin)
    refused(admin.get(f"{HISTORY}?{query}"), 400, "ADM_VALIDATION_FAILED")


def test_the_history_of_a_key_that_nobody_knows_is_404(admin: Client) -> None:
    for key in ("no.such.key", "x" * 300, "%00", "%F0%9F%98%80", "%25"):
        response = admin.get(f"{CONFIG}/{key}/history")
        assert response.status_code == 404, key
        assert response.json()["error"]["code"] in {"ADM_CONFIG_NOT_FOUND", "ADM_NOT_FOUND"}


def test_a_cursor_keeps_types_and_belongs_to_one_listing() -> None:
    values = [now(), new_id(), "ü", 7, None, True]
    written = cursors.written(values, listing="here")
    assert cursors.read(written, listing="here") == values
    with pytest.raises(cursors.CursorInvalid):
        cursors.read(written, listing="there")
    assert cursors.written(values, listing="here\n") != written
