"""OpenFeature's remote evaluation, on the short way and on the long one."""

import json
from typing import Any

import pytest

from apps.flags.counting import counts
from apps.flags.snapshot import holder
from apps.tenants.models import Tenant
from tests.factories import make_flag, make_tenant
from tests.flags.wires import Wire, bootstrap, token_of

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    "key", ["a b", "a/b", "a//b", "checkout/", "..", "a%2Fb", "a;b", "Checkout", "x" * 3_000]
)
def test_a_key_that_providers_send_as_it_is_written_is_no_other_flag_s(
    wire: Wire, tenant: Tenant, key: str
) -> None:
    bearer = f"Bearer {token_of(tenant=tenant)}"
    for _ in ("looked up", "remembered"):
        status, _, body = wire.ask("POST", f"/ofrep/v1/evaluate/flags/{key}", body={}, Authorization=bearer)
        found = json.loads(body)
        assert (status, found["key"], found["errorCode"]) == (404, key, "FLAG_NOT_FOUND")
        assert found["errorDetails"]


def test_a_megabyte_of_context_is_taken(wire: Wire, tenant: Tenant) -> None:
    bearer = f"Bearer {token_of(tenant=tenant)}"
    body = {"context": {"userId": "u" * 1_000_000, "appVersion": ["1.2.0"] * 100}}
    make_flag("dealt", rollout={"percentage": 100, "contextKey": "userId"}, hash="growthbook-v2")
    holder.pin_present()
    for _ in ("looked up", "remembered"):
        one = wire.ask("POST", "/ofrep/v1/evaluate/flags/dealt", body=body, Authorization=bearer)
        # Longer than what is hashed: as if it were absent.
        assert (one[0], json.loads(one[2])["metadata"]) == (200, {"reason": "default_disabled"})
        every = wire.ask("POST", "/ofrep/v1/evaluate/flags", body=body, Authorization=bearer)
        assert (every[0], len(json.loads(every[2])["flags"])) == (200, 3)


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
