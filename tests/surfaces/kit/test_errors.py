"""What goes wrong behind and before a view."""

from importlib import import_module

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django import Settings

from apps.core.write import unit
from apps.surfaces.kit import fallback
from apps.surfaces.kit.errors import problem_of
from apps.surfaces.kit.problems import Transport
from apps.surfaces.kit.surface import surface_of
from tests.factories import make_tenant
from tests.surfaces.kit.world import PREFIX


@pytest.mark.django_db
def test_a_bug_is_500_and_says_nothing_but_its_request_id(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = operator.get(f"{PREFIX}/fail/bug")
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (500, "INTERNAL_ERROR")
    assert error["request_id"] == response["X-Request-Id"]
    assert b"secret detail" not in response.content
    assert b"Traceback" not in response.content
    logged = [str(record.msg) for record in caplog.records if "unhandled_error" in str(record.msg)]
    assert len(logged) == 1
    assert error["request_id"] in logged[0]


@pytest.mark.django_db
def test_a_database_that_is_away_is_503_and_named(operator: Client) -> None:
    response = operator.get(f"{PREFIX}/fail/database")
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert "PostgreSQL" in response.json()["error"]["message"]
    assert response["Retry-After"] == "1"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_really_is_away_is_503_on_reads_and_writes(operator: Client) -> None:
    known = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    try:
        answers = [
            operator.get(PREFIX),
            operator.post(PREFIX, b'{"text": "abc"}', content_type="application/json"),
        ]
    finally:
        connection.close()
        connection.settings_dict["PORT"] = known
    for response in answers:
        assert response.status_code == 503, response.content
        assert "PostgreSQL" in response.json()["error"]["message"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("suspicious", 400, "VALIDATION_ERROR"),
        ("denied", 403, "UNAUTHORIZED"),
        ("sealed", 423, "VAULT_SEALED"),
    ],
)
def test_other_refusals_have_the_codes_of_the_contract(
    operator: Client, how: str, status: int, code: str
) -> None:
    response = operator.get(f"{PREFIX}/fail/{how}")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.django_db
def test_a_trail_that_refuses_is_503_and_nothing_changed(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_entries: object) -> None:
        raise DatabaseError("no trail")

    tenant = make_tenant(company_name="Before")
    monkeypatch.setattr(import_module("apps.core.write.unit"), "_recorder", lambda: refuse)
    response = operator.patch(
        f"{PREFIX}/{tenant.slug}", b'{"text": "After"}', content_type="application/json"
    )
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "UPSTREAM_UNAVAILABLE"
    tenant.refresh_from_db()
    assert tenant.company_name == "Before"


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_takes_too_long_is_503() -> None:
    sql = "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(1)"
    with pytest.raises(OperationalError) as late, unit(), connection.cursor() as cursor:
        cursor.execute(sql)
    problem = problem_of(late.value)
    assert "in time" in problem.message
    assert problem.headers == {"Retry-After": "1"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql", ["SELECT 1000000::smallint", "SELECT 'x'::uuid", "SELECT '\\xff'::bytea::int"]
)
def test_a_value_that_no_column_takes_is_never_a_server_error(sql: str) -> None:
    with pytest.raises(DatabaseError) as wrong, unit(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert problem_of(wrong.value).sort in {"invalid", Transport.INTERNAL}


def test_what_breaks_before_a_view_has_the_shape_of_the_surface(settings: Settings) -> None:
    """A middleware that can't reach the database answers 503 below the prefix."""

    class Broken:
        def __init__(self, _get_response: object) -> None: ...

        def __call__(self, _request: HttpRequest) -> HttpResponse:
            raise OperationalError("connection refused")

    globals()["Broken"] = Broken
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:6], "tests.surfaces.kit.test_errors.Broken"]
    response = Client(raise_request_exception=False).get(PREFIX)
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "UPSTREAM_UNAVAILABLE"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "VALIDATION_ERROR"),
        (401, "UNAUTHENTICATED"),
        (403, "UNAUTHORIZED"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
        (413, "PAYLOAD_TOO_LARGE"),
        (418, "VALIDATION_ERROR"),
        (429, "RATE_LIMITED"),
        (500, "INTERNAL_ERROR"),
        (502, "INTERNAL_ERROR"),
        (503, "UPSTREAM_UNAVAILABLE"),
    ],
)
def test_a_page_of_another_app_is_put_into_the_surfaces_words(status: int, code: str) -> None:
    surface = surface_of(PREFIX)
    assert surface is not None
    request = HttpRequest()
    request.path = PREFIX
    assert code in fallback.shaped(status, surface, request).content.decode()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/platform", "platform"),
        ("/api/v1/platform/x", "platform"),
        ("/api/v1/admin/vault/health", "platform"),
        ("/api/v1/platformx", None),
        ("/backoffice/", None),
        ("/", None),
    ],
)
def test_the_longest_prefix_decides_whose_path_it_is(path: str, name: str | None) -> None:
    found = surface_of(path)
    assert (found.name if found else None) == name
