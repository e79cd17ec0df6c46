"""apps.flags.lane: what it answers itself, what it leaves to Django, and that both say the same."""

import json
import time

import pytest
from django.conf import settings

from apps.core.principal import system
from apps.flags.counting import counts
from apps.flags.lane import Lane
from apps.flags.snapshot import holder
from apps.identity.remembered import remembered
from apps.identity.services.tokens import revoke_token
from apps.identity.verification import verify
from apps.tenants.models import Tenant
from tests.factories import make_flag
from tests.flags.wires import Wire, bootstrap, evaluate, token_of

pytestmark = pytest.mark.django_db


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
        # From here on the token is known; a listener that connected anew has forgotten those before.
        wire.ask("POST", address, body=body, Authorization=f"Bearer {token}")
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


def test_a_fault_of_the_short_way_is_answered_by_the_long_one(
    wire: Wire, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lane, "_internal", lambda *_: 1 / 0)
    assert wire.ask("GET", evaluate(tenant))[0] == 200
    assert wire.passed == 1


def test_other_paths_are_not_touched(wire: Wire) -> None:
    assert wire.ask("GET", "/healthz")[0] == 200
    assert wire.passed == 1
