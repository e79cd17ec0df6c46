"""Bad input of every kind: always a 4xx in the surface's shape, never a 5xx."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.audit.models import AuditEntry
from tests.factories import make_tenant
from tests.surfaces.kit.world import PREFIX

pytestmark = pytest.mark.django_db


def post(client: Client, body: bytes, content_type: str = "application/json") -> Any:
    return client.post(PREFIX, body, content_type=content_type)


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    assert body["success"] is False
    assert body["error"]["code"] == code
    assert set(body["error"]) <= {"code", "message", "details", "request_id"}
    assert body["error"]["request_id"] == response["X-Request-Id"]
    for sentences in body["error"].get("details", {}).values():
        assert isinstance(sentences, list)
        assert all(isinstance(sentence, str) for sentence in sentences)
    return dict(body["error"])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"text": "abc",}',
        b'{"text": "abc"} {"text": "abc"}',
        b'{"text": "abc", "text": "def"}',
        b'{"text": "a\\u0000b"}',
        b'{"text": "a\x00b"}',
        b'{"text": "a\\ud800b"}',
        b'{"text": "a\xed\xa0\x80b"}',
        b'{"text": "\xff\xfe"}',
        b'{"text": "abc", "price": 1e400}',
        b'{"text": "abc", "price": NaN}',
        b'{"text": "abc", "price": Infinity}',
        b'{"text": "abc", "stars": 1' + b"0" * 400 + b"}",
        b"[" * 100 + b"]" * 100,
        b'{"text":' * 100 + b"1" + b"}" * 100,
        b'\xef\xbb\xbf{"text": "abc"}',
    ],
)
def test_malformed_json_is_a_validation_error_of_the_body(operator: Client, body: bytes) -> None:
    error = refused(post(operator, body), 400, "VALIDATION_ERROR")
    assert set(error["details"]) == {"body"}


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"12", b"null", b"true"])
def test_a_body_that_is_no_object_is_refused(operator: Client, body: bytes) -> None:
    assert refused(post(operator, body), 400, "VALIDATION_ERROR")["details"] == {
        "body": ["A JSON object is expected."]
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 12),
        ("text", True),
        ("text", None),
        ("text", ["abc"]),
        ("text", {"a": 1}),
        ("text", "ab"),
        ("text", "a" * 201),
        ("text", "abc" + " " * 198),
        ("text", "   "),
        ("stars", "3"),
        ("stars", 3.0),
        ("stars", True),
        ("stars", 6),
        ("stars", 10**30),
        ("stars", None),
        ("price", "12.50"),
        ("price", True),
        ("price", 1.005),
        ("price", 1e300),
        ("price", 10**20),
        ("loud", "true"),
        ("loud", 1),
        ("loud", 0),
        ("loud", None),
        ("kind", "ugly"),
        ("kind", 1),
        ("kind", ["good"]),
        ("kind", {"good": 1}),
        ("at", "yesterday"),
        ("at", 1700000000),
        ("at", "2026-13-01T00:00:00Z"),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("at", "9999-12-31T23:59:59-14:00"),
        ("tags", "abc"),
        ("tags", {"a": 1}),
        ("tags", [1]),
        ("tags", ["a", "b", "c", "d"]),
        ("inner", "abc"),
        ("inner", []),
        ("inner", {}),
        ("inner", {"reason": "because", "more": 1}),
        ("inner", {"reason": "because", "limit": -1}),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_field(operator: Client, field: str, value: Any) -> None:
    body = json.dumps({"text": "abc", field: value}).encode()
    details = refused(post(operator, body), 400, "VALIDATION_ERROR")["details"]
    assert all(name.split(".")[0] == field for name in details), details


def test_unknown_fields_are_named_one_by_one_beside_other_mistakes(operator: Client) -> None:
    details = refused(post(operator, b'{"text": 1, "more": 2, "x\\u00e9": 3}'), 400, "VALIDATION_ERROR")[
        "details"
    ]
    assert set(details) == {"text", "more", "xé"}


def test_an_unknown_inner_field_is_named_with_its_path(operator: Client) -> None:
    details = refused(
        post(operator, b'{"text": "abc", "inner": {"reason": "because", "odd": 1}}'), 400, "VALIDATION_ERROR"
    )["details"]
    assert set(details) == {"inner.odd"}


def test_two_megabytes_are_413(operator: Client) -> None:
    refused(post(operator, b'{"text": "' + b"a" * 2_000_000 + b'"}'), 413, "PAYLOAD_TOO_LARGE")


def test_a_megabyte_of_declared_length_without_a_body_is_413(operator: Client) -> None:
    response = operator.post(PREFIX, b"{}", content_type="application/json", CONTENT_LENGTH="99999999")
    refused(response, 413, "PAYLOAD_TOO_LARGE")


def test_a_length_that_is_no_number_is_400(operator: Client) -> None:
    response = operator.post(PREFIX, b"{}", content_type="application/json", CONTENT_LENGTH="-5")
    refused(response, 400, "VALIDATION_ERROR")


def test_a_body_without_a_length_is_refused_and_not_taken_for_an_empty_one(operator: Client) -> None:
    response = operator.generic(
        "POST", PREFIX, content_type="application/json", headers={"Transfer-Encoding": "chunked"}
    )
    assert "Content-Length" in refused(response, 400, "VALIDATION_ERROR")["message"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
    ],
)
def test_another_content_type_is_415(operator: Client, content_type: str) -> None:
    refused(post(operator, b'{"text": "abc"}', content_type), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_json_type_with_charset_in_capitals_is_taken(operator: Client) -> None:
    make_tenant()
    assert post(operator, b'{"text": "abc"}', "Application/JSON; charset=UTF-8").status_code == 201


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=abc",
        "limit=",
        "limit=1.0",
        "limit=1e2",
        "limit=99999999999999999999999",
        "limit=%D9%A3",
        "limit=true",
        "offset=-1",
        "offset=abc",
        "offset=99999999999999999999999",
        "ordering=password",
        "ordering=--company",
        "ordering=",
        "ordering=facts__mrr",
        "ordering=company,mrr",
        "status=gone",
        "status=",
        "since=yesterday",
        "users_min=-1",
        "users_min=1.5",
        "mrr_min=abc",
        "mrr_min=1e5",
        "mrr_min=NaN",
        "test=1",
        "test=True",
        "format=xml",
        "plan=" + "a" * 41,
        "unknown=1",
        "Limit=1",
        "limit=1&limit=2",
        "plan=a&plan=b",
        "plan=%00",
        "plan=%ff",
        "plan=%ed%a0%80",
        "%ff=1",
        "cursor=abc",
        "validate_only=true",
        "&".join(f"a{n}=1" for n in range(2000)),
    ],
)
def test_a_wrong_query_is_a_validation_error(operator: Client, query: str) -> None:
    response = operator.generic("GET", PREFIX, QUERY_STRING=query)
    refused(response, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "query", ["limit=1", "limit=100", "offset=2147483647", "since=2026-01-31", "test=false"]
)
def test_a_query_at_its_bounds_is_taken(operator: Client, query: str) -> None:
    assert operator.generic("GET", PREFIX, QUERY_STRING=query).status_code == 200


@pytest.mark.parametrize("query", ["since=2026-01-31T10:00:00+01:00", "since=2026-01-31T10:00:00%2B01:00"])
def test_an_offset_survives_a_plus_that_nobody_encoded(operator: Client, query: str) -> None:
    assert operator.generic("GET", PREFIX, QUERY_STRING=query).status_code == 200


@pytest.mark.parametrize("value", ["yes", "1", "", "TRUE"])
def test_validate_only_is_true_or_false(operator: Client, value: str) -> None:
    response = operator.post(
        f"{PREFIX}?validate_only={value}", b'{"text": "abc"}', content_type="application/json"
    )
    refused(response, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "header", ["abc", '"x7"', 'w/"v7"', "W/v7", '"v7", "v8"', '"7', '7"', 'v7"', "-1", "9" * 30, "", "\u0663"]
)
def test_an_if_match_that_names_no_version_is_refused(operator: Client, header: str) -> None:
    tenant = make_tenant()
    response = operator.patch(
        f"{PREFIX}/{tenant.slug}",
        b'{"text": "abc"}',
        content_type="application/json",
        headers={"If-Match": header},
    )
    refused(response, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PROPFIND", "BREW", "PUT", "CONNECT"])
def test_a_method_that_is_not_there_is_405_and_says_which_are(operator: Client, method: str) -> None:
    response = operator.generic(method, PREFIX)
    refused(response, 405, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/platform/nothing",
        "/api/v1/platform",
        "/api/v1/platform/",
        "/api/v1/platform/notes/",
        "/api/v1/platform/notes/a/b/c",
        "/api/v1/platform/%00",
        "/api/v1/platform/%ff%fe",
        "/api/v1/platform/%ed%a0%80",
        "/api/v1/platform/%2e%2e%2fnotes",
        "/api/v1/platform/" + "a" * 5000,
        "/api/v1/admin/vault/nothing",
        "/api/v1/admin/secrets",
    ],
)
def test_a_path_that_is_not_there_is_404_in_the_shape_of_its_surface(operator: Client, path: str) -> None:
    refused(operator.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "segment", ["%00", "%ff", "%ed%a0%80", "..", "'", "%27%20OR%201=1", "a" * 4000, "😀"]
)
def test_an_odd_segment_finds_nothing(operator: Client, segment: str) -> None:
    response = operator.get(f"{PREFIX}/{segment}")
    assert response.status_code in {404, 400}, response.content
    assert response.json()["success"] is False


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "nonsense", ";;;,,,", "\x01"])
def test_json_is_sent_whatever_is_accepted(operator: Client, accept: str) -> None:
    response = operator.get(PREFIX, headers={"Accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("key", ["a" * 256, "ключ", "", " ", "a\x7f"])
def test_an_idempotency_key_of_another_form_is_refused(operator: Client, key: str) -> None:
    make_tenant()
    response = operator.post(
        PREFIX, b'{"text": "abc"}', content_type="application/json", headers={"Idempotency-Key": key}
    )
    refused(response, 400, "VALIDATION_ERROR")


def test_a_refused_mutation_leaves_no_audit_row(operator: Client) -> None:
    make_tenant()
    post(operator, b'{"text": 1}')
    assert not AuditEntry.objects.exists()


def test_a_host_that_is_not_ours_is_refused_in_the_shape_of_the_surface(operator: Client) -> None:
    refused(operator.get(PREFIX, headers={"Host": "evil.example"}), 400, "VALIDATION_ERROR")


def test_below_no_surface_a_refusal_is_a_page(operator: Client) -> None:
    response = operator.get("/nowhere")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
