"""apps.flags.lane: what it answers itself, what it leaves to Django, and that both say the same."""

import json
import time
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from apps.core.principal import system
from apps.flags.counting import counts
from apps.flags.lane import Lane
from apps.flags.snapshot import holder
from apps.identity.remembered import remembered
from apps.identity.services.tokens import issue_token, revoke_token
from apps.identity.verification import verify
from apps.surfaces.kit.throttling import throttle
from apps.tenants.models import Tenant
from tests.factories import make_flag, make_override, make_tenant

pytestmark = pytest.mark.django_db


class Wire:
    """A lane before the real application; says which of the two answered."""

    def __init__(self) -> None:
        self.passed = 0
        django = WSGIHandler()

        def behind(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            self.passed += 1
            return django(environ, start_response)

        self.lane = Lane(behind)

    def ask(
        self, method: str, address: str, *, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; `X_Service_Id="a"` is a header."""
        path, _, query = address.partition("?")
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(content)) if content else "",
            "CONTENT_TYPE": "application/json" if content else "",
            "wsgi.input": BytesIO(content),
            "wsgi.url_scheme": "http",
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items() if name != "REMOTE_ADDR"}
        environ["REMOTE_ADDR"] = headers.get("REMOTE_ADDR", "127.0.0.1")
        said: dict[str, Any] = {}

        def start_response(status: str, fields: list[tuple[str, str]], *_rest: Any) -> None:
            said["status"], said["headers"] = int(status[:3]), dict(fields)

        content = b"".join(self.lane(environ, start_response))
        return said["status"], said["headers"], content


@pytest.fixture
def wire(db: None) -> Iterator[Wire]:
    throttle().forget()
    remembered.forget()
    signals = (request_started, request_finished)
    # As Django's test client does: the connection holds the test's transaction.
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield Wire()
    for signal in signals:
        signal.connect(close_old_connections)
    counts.take()
    remembered.forget()


@pytest.fixture
def tenant() -> Tenant:
    tenant = make_tenant()
    make_override(make_flag("checkout"), tenant)
    make_flag("dark-mode", default_enabled=True)
    holder.pin_present()
    return tenant


def token_of(**claims: Any) -> str:
    return issue_token(actor=system("tests"), subject="svc-tests", **claims).text


def evaluate(tenant: Tenant, key: str = "checkout", extra: str = "") -> str:
    return f"/internal/admin/flags/{key}/evaluate?tenantId={tenant.public_id}{extra}"


def bootstrap(tenant: Tenant) -> str:
    return f"/internal/admin/flags/bootstrap?tenantId={tenant.public_id}"


def test_evaluate_is_answered_in_front_of_django(wire: Wire, tenant: Tenant) -> None:
    status, headers, body = wire.ask("GET", evaluate(tenant), X_Service_Id="billing")
    assert (status, wire.passed) == (200, 0)
    assert json.loads(body) == {
        "key": "checkout",
        "enabled": True,
        "value": True,
        "variation": "on",
        "reason": "tenant_override_enabled",
    }
    assert headers["Content-Length"] == str(len(body))
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-RateLimit-Limit"] == str(settings.SURFACE_RATE_LIMITS["service.internal"])
    assert "X-Flags-Stale" not in headers


def test_bootstrap_has_every_flag_and_is_not_sent_twice(wire: Wire, tenant: Tenant) -> None:
    _, headers, body = wire.ask("GET", bootstrap(tenant))
    found = json.loads(body)
    assert found["tenantId"] == tenant.public_id
    assert [(each["key"], each["enabled"]) for each in found["flags"]] == [
        ("checkout", True),
        ("dark-mode", True),
    ]
    status, again, nothing = wire.ask("GET", bootstrap(tenant), If_None_Match=headers["ETag"])
    assert (status, nothing, again["ETag"]) == (304, b"", headers["ETag"])
    assert wire.passed == 0
    make_flag("new")
    holder.pin_present()
    status, changed, _ = wire.ask("GET", bootstrap(tenant), If_None_Match=headers["ETag"])
    assert status == 200
    assert changed["ETag"] != headers["ETag"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"address": "/internal/admin/flags/nothing/evaluate?tenantId={tenant}"}, 404),
        ({"address": "/internal/admin/flags/checkout/evaluate"}, 400),
        ({"address": "/internal/admin/flags/checkout/evaluate?tenantId=acme"}, 400),
        ({"address": "/internal/admin/flags/checkout/evaluate?tenantId={tenant}&tenantId={tenant}"}, 400),
        ({"address": "/internal/admin/flags/checkout/evaluate?tenantId=tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"}, 404),
        ({"REMOTE_ADDR": "203.0.113.9"}, 404),
        ({"X_Forwarded_For": "10.0.0.1"}, 404),
        ({"X_Service_Id": "no name"}, 400),
        ({"method": "POST"}, 405),
    ],
)
def test_every_refusal_is_django_s(wire: Wire, tenant: Tenant, change: dict[str, str], status: int) -> None:
    asked = {"method": "GET", "address": evaluate(tenant), **change}
    address = asked.pop("address").replace("{tenant}", tenant.public_id)
    found, _, body = wire.ask(asked.pop("method"), address, **asked)
    assert (found, wire.passed) == (status, 1)
    assert json.loads(body)["error"]["code"].startswith("ADM_")


def test_both_ways_say_the_same(wire: Wire, tenant: Tenant) -> None:
    token = token_of(scopes=["SERVICE"])
    wire.ask("POST", "/ofrep/v1/evaluate/flags", body={}, Authorization=f"Bearer {token}")
    addresses = [evaluate(tenant), evaluate(tenant, "dark-mode", "&appVersion=2"), bootstrap(tenant)]
    for address in addresses:
        passed = wire.passed
        short = wire.ask("GET", address)
        assert wire.passed == passed
        # A header that Django's middleware must see sends the same request the long way.
        long = wire.ask("GET", address, Origin="https://elsewhere.example")
        assert wire.passed == passed + 1
        assert (short[0], short[2]) == (long[0], long[2])
        assert short[1].get("ETag") == long[1].get("ETag")
    body = {"context": {"tenantId": tenant.public_id, "targetingKey": "u"}}
    for address in ("/ofrep/v1/evaluate/flags/checkout", "/ofrep/v1/evaluate/flags"):
        passed = wire.passed
        short = wire.ask("POST", address, body=body, Authorization=f"Bearer {token}")
        assert wire.passed == passed
        long = wire.ask(
            "POST", address, body=body, Authorization=f"Bearer {token}", Origin="https://elsewhere.example"
        )
        assert wire.passed == passed + 1
        assert (short[0], short[2]) == (long[0], long[2])
        assert short[1].get("ETag") == long[1].get("ETag")


def test_a_token_is_looked_up_once_and_again_after_a_right_was_withdrawn(wire: Wire, tenant: Tenant) -> None:
    token = token_of(tenant=tenant)
    address = "/api/v1/platform/flags/checkout/evaluate"
    for expected in (1, 1):
        status, _, _ = wire.ask("GET", address, Authorization=f"Bearer {token}")
        assert (status, wire.passed) == (200, expected)
    known = verify(token)
    assert known.jti is not None
    revoke_token(actor=system("tests"), issuer=known.issuer, jti=known.jti, expires_at=known.expires_at)
    remembered.forget()  # what the announcement of the commit does
    status, _, _ = wire.ask("GET", address, Authorization=f"Bearer {token}")
    assert (status, wire.passed) == (401, 2)


def test_a_token_that_was_looked_up_before_a_withdrawal_is_not_remembered_after_it(tenant: Tenant) -> None:
    token = token_of(tenant=tenant)
    before = remembered.generation
    remembered.forget()
    remembered.put(token, verify(token), system("tests"), generation=before)
    assert remembered.get(token) is None


def test_a_remembered_token_ends_with_its_time(
    wire: Wire, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(tenant=tenant)
    remembered.put(token, verify(token), system("tests"), generation=remembered.generation)
    assert remembered.get(token) is not None
    later = verify(token).expires_at.timestamp() + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert remembered.get(token) is None


def test_a_spent_budget_is_refused_by_django(
    wire: Wire, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.SURFACE_RATE_LIMITS, "service.internal", 3)
    statuses = [wire.ask("GET", evaluate(tenant), X_Service_Id="greedy")[0] for _ in range(6)]
    assert statuses[:3] == [200, 200, 200]
    assert 429 in statuses
    assert wire.ask("GET", evaluate(tenant), X_Service_Id="modest")[0] == 200


def test_evaluations_are_counted_and_refusals_are_not(wire: Wire, tenant: Tenant) -> None:
    counts.take()
    wire.ask("GET", evaluate(tenant))
    wire.ask("GET", evaluate(tenant))
    wire.ask("GET", evaluate(tenant, "nothing"))
    wire.ask("GET", bootstrap(tenant))
    assert counts.take() == {("checkout", "on"): 2}


def test_a_bulk_answer_is_noted_on_both_ways_and_where_nothing_changed(
    wire: Wire, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[int] = []
    monkeypatch.setattr(counts, "note_all", lambda: noted.append(wire.passed))
    asked: dict[str, Any] = {"body": {}, "Authorization": f"Bearer {token_of(tenant=tenant)}"}
    address = "/ofrep/v1/evaluate/flags"
    tag = wire.ask("POST", address, **asked)[1]["ETag"]
    assert wire.ask("POST", address, **asked, If_None_Match=tag)[0] == 304
    assert wire.ask("POST", f"{address}/checkout", **asked)[0] == 200
    wire.ask("GET", bootstrap(tenant))
    assert noted == [1, 1]


def test_a_stale_process_says_so(wire: Wire, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder, "stale", lambda: True)
    token = f"Bearer {token_of(scopes=['SERVICE'])}"
    for way in ({}, {"Origin": "https://elsewhere.example"}):
        passed = wire.passed
        for address in (evaluate(tenant), bootstrap(tenant)):
            assert wire.ask("GET", address, **way)[1]["X-Flags-Stale"] == "true"
        _, headers, _ = wire.ask("GET", bootstrap(tenant), If_None_Match="*", **way)
        assert headers["X-Flags-Stale"] == "true"
        for address in ("/ofrep/v1/evaluate/flags/checkout", "/ofrep/v1/evaluate/flags"):
            _, headers, _ = wire.ask("POST", address, body={}, Authorization=token, **way)
            assert headers["X-Flags-Stale"] == "true"
        # The token is looked up the first time.
        assert wire.passed - passed == (5 if way else 1)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "INVALID_CONTEXT"),
        ({"context": []}, "INVALID_CONTEXT"),
        ({"context": {"tenantId": 7}}, "INVALID_CONTEXT"),
        ({"context": {"tenantId": "tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"}}, "INVALID_CONTEXT"),
        ({"context": {"filler": "x" * 1_100_000}}, "GENERAL"),
    ],
)
def test_a_context_that_makes_no_sense_is_said_in_openfeature_s_words(
    wire: Wire, tenant: Tenant, body: Any, code: str
) -> None:
    token = token_of(scopes=["SERVICE"])
    for address, key in (
        ("/ofrep/v1/evaluate/flags/checkout", "checkout"),
        ("/ofrep/v1/evaluate/flags", None),
    ):
        status, _, answer = wire.ask("POST", address, body=body, Authorization=f"Bearer {token}")
        found = json.loads(answer)
        assert (status, found["errorCode"], found.get("key")) == (400, code, key)
        assert found["errorDetails"]


def test_a_tenant_s_token_asks_for_its_own_tenant_alone(wire: Wire, tenant: Tenant) -> None:
    other = make_tenant()
    holder.pin_present()
    token = token_of(tenant=tenant)
    for named, status in ((None, 200), (tenant.public_id, 200), (other.public_id, 400)):
        for _ in ("looked up", "remembered"):
            context = {} if named is None else {"tenantId": named}
            found, _, body = wire.ask(
                "POST",
                "/ofrep/v1/evaluate/flags/checkout",
                body={"context": context},
                Authorization=f"Bearer {token}",
            )
            assert found == status, body


def test_the_bulk_etag_covers_the_whole_context(wire: Wire, tenant: Tenant) -> None:
    token = token_of(tenant=tenant)
    bearer = f"Bearer {token}"

    def tag(context: dict[str, Any]) -> str:
        return wire.ask("POST", "/ofrep/v1/evaluate/flags", body={"context": context}, Authorization=bearer)[
            1
        ]["ETag"]

    first = tag({"a": 1, "b": {"c": [1, 2]}})
    assert tag({"b": {"c": [1, 2]}, "a": 1}) == first
    assert len({first, tag({}), tag({"a": 1}), tag({"a": 1, "b": {"c": [2, 1]}})}) == 4
    status, _, body = wire.ask(
        "POST",
        "/ofrep/v1/evaluate/flags",
        body={"context": {"a": 1, "b": {"c": [1, 2]}}},
        Authorization=bearer,
        If_None_Match=first,
    )
    assert (status, body) == (304, b"")


def test_an_unknown_flag_is_openfeature_s_flag_not_found(wire: Wire, tenant: Tenant) -> None:
    token = token_of(tenant=tenant)
    status, _, body = wire.ask(
        "POST", "/ofrep/v1/evaluate/flags/nothing", body={}, Authorization=f"Bearer {token}"
    )
    assert status == 404
    assert json.loads(body) == {
        "key": "nothing",
        "errorCode": "FLAG_NOT_FOUND",
        "errorDetails": "There is no such flag.",
    }


def test_the_route_of_one_flag_without_its_key_is_no_route(wire: Wire, tenant: Tenant) -> None:
    bearer = f"Bearer {token_of(tenant=tenant)}"
    for _ in ("looked up", "remembered"):
        status, _, body = wire.ask("POST", "/ofrep/v1/evaluate/flags/", body={}, Authorization=bearer)
        assert (status, "flags" in json.loads(body)) == (404, False)
        wire.ask("POST", "/ofrep/v1/evaluate/flags", body={}, Authorization=bearer)


def test_numbers_without_measure_in_a_context_are_taken(wire: Wire, tenant: Tenant) -> None:
    bearer = f"Bearer {token_of(tenant=tenant)}"
    body = {"context": {"size": 10**37}}
    for _ in range(2):
        for address in ("/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/checkout"):
            assert wire.ask("POST", address, body=body, Authorization=bearer)[0] == 200
    assert wire.passed == 1


def test_a_fault_of_the_short_way_is_answered_by_the_long_one(
    wire: Wire, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lane, "_internal", lambda *_: 1 / 0)
    assert wire.ask("GET", evaluate(tenant))[0] == 200
    assert wire.passed == 1


def test_other_paths_are_not_touched(wire: Wire) -> None:
    assert wire.ask("GET", "/healthz")[0] == 200
    assert wire.passed == 1
