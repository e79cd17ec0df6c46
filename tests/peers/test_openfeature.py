"""OpenFeature's SDKs with their OFREP providers, unmodified, against a served Steward.

Source: OFREP 0.3; contracts/service.md, "OpenFeature".
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason

from apps.core.principal import system
from apps.embedded import nodejs
from apps.identity.services.tokens import issue_token
from apps.tenants.models import Tenant
from tests.deploy import servers
from tests.factories import make_flag, make_override, make_tenant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

NODE_CALLER = Path(__file__).parent / "openfeature"


def choices(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def rule(attribute: str, value: Any, **outcome: Any) -> dict[str, Any]:
    return {"conditions": [{"attribute": attribute, "operator": "equals", "value": value}], **outcome}


@dataclass(frozen=True)
class Peer:
    url: str
    token: str
    tenant: Tenant


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A tenant with one flag for every reason and type, served."""
    tenant = make_tenant()
    make_flag("static", default_enabled=True)
    make_flag("archived", is_archived=True, default_enabled=True)
    make_override(make_flag("given"), tenant)
    make_flag("matched", rules=[rule("targetingKey", "user-17", variation="on")])
    make_flag("split", rollout={"percentage": 100, "contextKey": "targetingKey"})
    make_flag("held", default_enabled=True, prerequisites=[{"key": "archived", "variation": "on"}])
    words = {"type": "string", "variations": choices(blue="#00f", red="#f00"), "off_variation": "red"}
    make_flag("colour", **words, rules=[rule("appVersion", "2.4.0", variation="blue")])
    make_flag("limit", type="number", variations=choices(few=3, many=250), off_variation="few")
    make_flag("share", type="number", variations=choices(half=0.5, all=1.5), off_variation="half")
    tree = {"type": "object", "variations": choices(a={"deep": [1, {"x": None}]}, b={}), "off_variation": "b"}
    make_flag("tree", **tree, default_enabled=True)
    token = issue_token(actor=system("tests"), subject="sdk", tenant=tenant).text
    with servers.granian(threads=4) as port:
        yield Peer(f"http://127.0.0.1:{port}", token, tenant)
    api.clear_providers()


def client_of(peer: Peer, token: str | None = None) -> OpenFeatureClient:
    headers = {"Authorization": f"Bearer {peer.token if token is None else token}"}
    api.set_provider(OFREPProvider(peer.url, headers_factory=lambda: headers))
    return api.get_client()


CONTEXT = EvaluationContext(targeting_key="user-17", attributes={"appVersion": "2.4.0"})


def test_the_python_sdk_gets_every_type_and_reason(peer: Peer) -> None:
    client = client_of(peer)

    def told(found: FlagEvaluationDetails[Any]) -> tuple[Any, str | None, Any, Any]:
        assert found.error_code is None, found.error_message
        return found.value, found.variant, found.reason, found.flag_metadata.get("reason")

    # Twice: the first request takes the long way, the second one the short way.
    for _ in range(2):
        booleans = {
            "static": (True, "on", Reason.STATIC, "default_enabled"),
            "archived": (False, "off", Reason.DISABLED, "archived"),
            "given": (True, "on", Reason.TARGETING_MATCH, "tenant_override_enabled"),
            "matched": (True, "on", Reason.TARGETING_MATCH, "rule_match"),
            "split": (True, "on", Reason.SPLIT, "rollout"),
            "held": (False, "off", Reason.DISABLED, "prerequisite_failed"),
        }
        for key, expected in booleans.items():
            assert told(client.get_boolean_details(key, not expected[0], CONTEXT)) == expected
        colour = client.get_string_details("colour", "?", CONTEXT)
        assert told(colour) == ("#00f", "blue", Reason.TARGETING_MATCH, "rule_match")
        assert told(client.get_integer_details("limit", -1, CONTEXT))[:2] == (3, "few")
        assert told(client.get_float_details("share", -1.0, CONTEXT))[:2] == (0.5, "half")
        assert told(client.get_object_details("tree", {}, CONTEXT))[:2] == ({"deep": [1, {"x": None}]}, "a")


def test_the_python_sdk_may_send_no_context(peer: Peer) -> None:
    client = client_of(peer)
    for context in (None, EvaluationContext()):
        assert client.get_boolean_details("matched", True, context).value is False
        assert client.get_boolean_details("given", False, context).value is True


def test_the_python_sdk_hears_what_went_wrong(peer: Peer) -> None:
    client = client_of(peer)
    unknown = client.get_boolean_details("nothing", True, CONTEXT)
    assert (unknown.value, unknown.error_code, unknown.reason) == (
        True,
        ErrorCode.FLAG_NOT_FOUND,
        Reason.ERROR,
    )
    assert unknown.error_message == "There is no such flag."
    other_type = client.get_string_details("static", "fallback", CONTEXT)
    assert (other_type.value, other_type.error_code) == ("fallback", ErrorCode.TYPE_MISMATCH)
    elsewhere = EvaluationContext(attributes={"tenantId": make_tenant().public_id})
    assert client.get_boolean_details("static", False, elsewhere).error_code is ErrorCode.INVALID_CONTEXT
    refused = client_of(peer, "no.good.token").get_boolean_details("static", False, CONTEXT)
    assert (refused.value, refused.error_code) == (False, ErrorCode.GENERAL)


def test_a_limit_pauses_the_python_sdk_for_whole_seconds(peer: Peer) -> None:
    with servers.granian(threads=2, RATE_LIMIT_OFREP="2") as port:
        limited = Peer(f"http://127.0.0.1:{port}", peer.token, peer.tenant)
        client = client_of(limited)
        found = [client.get_boolean_details("static", False, CONTEXT) for _ in range(6)]
        assert any("until" in (each.error_message or "") for each in found), found
        answers = [
            httpx.post(
                f"{limited.url}/ofrep/v1/evaluate/flags",
                json={},
                headers={"Authorization": f"Bearer {peer.token}"},
                timeout=10,
            )
            for _ in range(4)
        ]
    last = answers[-1]
    assert last.status_code == 429
    assert last.headers["Retry-After"].isdigit()
    assert last.json()["errorCode"] == "GENERAL"


QUESTIONS = [
    ("boolean", "static", False, True, "on", "STATIC"),
    ("boolean", "given", False, True, "on", "TARGETING_MATCH"),
    ("boolean", "split", False, True, "on", "SPLIT"),
    ("boolean", "archived", True, False, "off", "DISABLED"),
    ("string", "colour", "?", "#00f", "blue", "TARGETING_MATCH"),
    ("number", "limit", -1, 3, "few", "STATIC"),
    ("number", "share", -1, 0.5, "half", "STATIC"),
    ("object", "tree", {}, {"deep": [1, {"x": None}]}, "a", "STATIC"),
]


def test_the_javascript_sdks_get_every_type_and_reason(peer: Peer) -> None:
    context = {"targetingKey": "user-17", "appVersion": "2.4.0"}
    asked: list[dict[str, Any]] = [
        {"type": kind, "key": key, "fallback": fallback, "context": context}
        for kind, key, fallback, *_ in QUESTIONS
    ]
    asked.append({"type": "boolean", "key": "nothing", "fallback": True, "context": {}})
    asked.append({"type": "boolean", "key": "matched", "fallback": True, "context": {}})
    given = {"url": peer.url, "token": peer.token, "wrongToken": "no.good.token", "questions": asked}
    done = subprocess.run(
        [nodejs.NODE, "ask.mjs"],
        cwd=nodejs.installed(NODE_CALLER),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    expected = [(value, variant, reason) for *_, value, variant, reason in QUESTIONS]
    for found in (told["server"], told["web"]["found"]):
        shown = [(each["value"], each.get("variant"), each["reason"]) for each in found]
        assert shown[: len(expected)] == expected
    unknown, empty = told["server"][-2:]
    assert (unknown["value"], unknown["errorCode"]) == (True, "FLAG_NOT_FOUND")
    assert (empty["value"], empty["reason"]) == (False, "STATIC")
    assert told["server"][0]["metadata"] == {"reason": "default_enabled"}
    assert [each["value"] for each in told["refused"][:2]] == [False, False]
    assert all(each.get("errorCode") for each in told["refused"])
    # The web provider asks for all flags at once and again with the ETag that it was given.
    assert told["web"]["statuses"][0] == 200
    assert 304 in told["web"]["statuses"]
