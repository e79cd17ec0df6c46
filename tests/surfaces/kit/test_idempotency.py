"""Idempotency-Key, and mutations that are only tried out."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.models import IdempotentResponse
from tests.factories import make_tenant
from tests.surfaces.kit import world
from tests.surfaces.kit.world import PREFIX

pytestmark = pytest.mark.django_db


def send(
    client: Client, path: str = "", body: bytes = b'{"text": "abc"}', *, key: str = "k-1", **extra: Any
) -> Any:
    headers = {"Idempotency-Key": key, **extra.pop("headers", {})}
    return client.post(f"{PREFIX}{path}", body, content_type="application/json", headers=headers, **extra)


def test_the_same_request_again_gets_the_first_answer_and_no_second_effect(operator: Client) -> None:
    make_tenant()
    first, second = send(operator), send(operator, body=b'{ "text":"abc" }')
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["X-Idempotency-Replayed"] == "true"
    assert "X-Idempotency-Replayed" not in first
    assert AuditEntry.objects.count() == 1


def test_the_same_key_with_another_body_is_409(operator: Client) -> None:
    make_tenant()
    send(operator)
    response = send(operator, body=b'{"text": "abd"}')
    assert (response.status_code, response.json()["error"]["code"]) == (409, "CONFLICT")
    assert AuditEntry.objects.count() == 1


def test_the_same_key_under_another_version_is_409(operator: Client) -> None:
    make_tenant()
    send(operator, headers={"If-Match": "1"})
    assert send(operator, headers={"If-Match": "2"}).status_code == 409


def test_the_same_key_of_another_caller_is_another_key(operator: Client) -> None:
    make_tenant()
    send(operator)
    other = Client(headers={"Authorization": "Test admin"})
    assert "X-Idempotency-Replayed" not in send(other)
    assert AuditEntry.objects.count() == 2


def test_the_same_key_on_another_route_is_another_key(operator: Client) -> None:
    make_tenant()
    send(operator)
    assert send(operator, "/secret", b"").status_code == 201


def test_a_replay_is_authorised_again(operator: Client) -> None:
    make_tenant()
    send(Client(headers={"Authorization": "Test me:admin"}))
    response = send(Client(headers={"Authorization": "Test me:support"}))
    assert response.status_code == 403


def test_a_refusal_of_the_domain_is_kept_and_its_change_rolled_back(operator: Client) -> None:
    tenant = make_tenant()
    first, second = send(operator, "/refuse", b""), send(operator, "/refuse", b"")
    assert (first.status_code, second.status_code) == (409, 409)
    assert second["X-Idempotency-Replayed"] == "true"
    assert second.content == first.content
    tenant.refresh_from_db()
    assert tenant.version == 1
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("path", "body"), [("", b'{"text": 1}'), ("", b"{"), ("/x/forbidden", b"")])
def test_wrong_input_and_missing_rights_are_not_kept(operator: Client, path: str, body: bytes) -> None:
    assert send(operator, path, body).status_code in {400, 403}
    assert not IdempotentResponse.objects.exists()


def test_what_is_shown_once_is_null_in_a_replay(operator: Client) -> None:
    make_tenant()
    first, second = send(operator, "/secret", b"").json(), send(operator, "/secret", b"").json()
    assert first["data"]["tenant"]["key"] == "gai-secret"
    assert second["data"]["tenant"] == {**first["data"]["tenant"], "key": None}


def test_a_stored_answer_is_sealed(operator: Client) -> None:
    make_tenant(owner_email="jane@acme.example")
    send(operator)
    assert b"abc" not in bytes(IdempotentResponse.objects.get().body)


def test_an_etag_is_replayed_too(operator: Client) -> None:
    tenant = make_tenant()

    def rename() -> Any:
        return operator.patch(
            f"{PREFIX}/{tenant.slug}",
            b'{"text": "abc"}',
            content_type="application/json",
            headers={"Idempotency-Key": "k-1"},
        )

    assert rename()["ETag"] == '"v2"'
    assert rename()["ETag"] == '"v2"'
    assert operator.get(f"{PREFIX}/{tenant.slug}")["ETag"] == '"v2"'


def test_validate_only_answers_as_if_and_changes_nothing(operator: Client) -> None:
    tenant = make_tenant(company_name="Before")
    response = operator.post(
        f"{PREFIX}?validate_only=true",
        b'{"text": "After"}',
        content_type="application/json",
        headers={"Idempotency-Key": "k-1"},
    )
    assert response.status_code == 201
    tenant.refresh_from_db()
    assert tenant.company_name == "Before"
    assert not AuditEntry.objects.exists()
    assert not IdempotentResponse.objects.exists()


def test_validate_only_refuses_a_malformed_key_too(operator: Client) -> None:
    response = operator.post(
        f"{PREFIX}?validate_only=true",
        b'{"text": "After"}',
        content_type="application/json",
        headers={"Idempotency-Key": ""},
    )
    assert response.status_code == 400


def test_validate_only_refuses_what_the_real_thing_would_refuse(operator: Client) -> None:
    make_tenant()
    assert (
        operator.post(f"{PREFIX}/refuse?validate_only=true", b"", content_type="application/json").status_code
        == 409
    )
    support = Client(headers={"Authorization": "Test support"})
    assert (
        support.post(f"{PREFIX}/refuse?validate_only=true", b"", content_type="application/json").status_code
        == 403
    )


def test_a_change_outside_of_a_write_is_rolled_back(operator: Client) -> None:
    tenant = make_tenant(company_name="Before")
    assert operator.post(f"{PREFIX}/unwritten", b"", content_type="application/json").status_code == 200
    tenant.refresh_from_db()
    assert tenant.company_name == "Before"


@pytest.mark.django_db(transaction=True)
def test_a_handler_outside_of_a_transaction_is_run_once_for_each_key(operator: Client) -> None:
    make_tenant()
    first, second = send(operator, "/outside", b""), send(operator, "/outside", b"")
    assert second.content == first.content
    assert second["X-Idempotency-Replayed"] == "true"
    assert [entry.action for entry in AuditEntry.objects.order_by("seq")] == ["note.claim", "note.settle"]
    assert (
        operator.post(
            f"{PREFIX}/outside?validate_only=true", b"", content_type="application/json"
        ).status_code
        == 400
    )


@pytest.mark.django_db(transaction=True)
def test_a_second_request_while_the_first_is_served_is_409_with_retry_after(operator: Client) -> None:
    make_tenant()
    world.gate.clear()
    world.entered.clear()
    answers: list[Any] = []

    def first() -> None:
        try:
            answers.append(send(Client(headers={"Authorization": "Test super_admin"}), "/held", b""))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert world.entered.wait(10)
        second = send(operator, "/held", b"")
    finally:
        world.gate.set()
        thread.join(10)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "CONFLICT")
    assert second["Retry-After"] == "1"
    assert answers[0].status_code == 200
    third = send(operator, "/held", b"")
    assert third["X-Idempotency-Replayed"] == "true"
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_with_one_key_have_one_effect() -> None:
    make_tenant()
    statuses: list[int] = []

    def one() -> None:
        try:
            statuses.append(
                send(Client(headers={"Authorization": "Test super_admin"}), "/secret", b"").status_code
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(statuses) == 8
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert AuditEntry.objects.count() == 1
