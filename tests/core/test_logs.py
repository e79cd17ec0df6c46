"""apps.core.observability: what a log line says, and what it never does."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from apps.core.observability import context
from apps.core.observability.logs import configure, json_formatter, logging_config
from apps.core.observability.redaction import redact, redact_text

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2lnbmF0dXJl"


@contextmanager
def _captured() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(json_formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    finally:
        root.removeHandler(handler)


def test_a_line_is_one_json_object_with_its_context() -> None:
    with _captured() as lines, context.bound(request_id="req_1", correlation_id="cor_12345", actor="usr_1"):
        context.identify(tenant="tnt_1")
        structlog.get_logger("apps.x").info("tenant_suspended", count=3, nested={"a": [1, None]})
    (line,) = lines()
    assert list(line)[:8] == [
        "timestamp",
        "level",
        "logger",
        "event",
        "request_id",
        "correlation_id",
        "actor",
        "tenant",
    ]
    assert line["timestamp"].endswith("Z")
    assert len(line["timestamp"]) == len("2026-01-01T00:00:00.000Z")
    assert {key: line[key] for key in list(line)[1:]} == {
        "level": "info",
        "logger": "apps.x",
        "event": "tenant_suspended",
        "request_id": "req_1",
        "correlation_id": "cor_12345",
        "actor": "usr_1",
        "tenant": "tnt_1",
        "count": 3,
        "nested": {"a": [1, None]},
    }


def test_lines_of_other_libraries_look_the_same() -> None:
    with _captured() as lines, context.bound(request_id="req_1"):
        logging.getLogger("some.library").warning("took %d ms", 7, extra={"status_code": 404, "request": "x"})
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("took 7 ms", "warning", "some.library")
    assert (line["request_id"], line["status_code"]) == ("req_1", 404)
    assert "request" not in line


@pytest.mark.parametrize("ours", [True, False])
def test_an_exception_is_structured_on_one_line_without_local_variables(ours: bool) -> None:
    with _captured() as lines:
        local_password = "hunter2hunter2"
        try:
            raise ValueError(f"no such user jane@acme.com {len(local_password)}")
        except ValueError:
            (structlog.get_logger("x") if ours else logging.getLogger("x")).exception("boom")
    (line,) = lines()
    (failure,) = line["exception"]
    assert failure["exc_type"] == "ValueError"
    assert failure["exc_value"] == "no such user j***@acme.com 14"
    assert failure["frames"][-1]["name"].startswith("test_an_exception")
    assert "hunter2" not in json.dumps(line)


def test_context_ends_with_its_block_and_the_outer_one_stands_again() -> None:
    with context.bound(request_id="req_1", correlation_id="outer", actor="", tenant=""):
        with context.bound(request_id="job_1", job="job_1", actor="", tenant=""):
            context.identify(actor="usr_2", tenant="tnt_2")
            assert (context.request_id(), context.correlation_id()) == ("job_1", "outer")
            assert (context.actor_id(), context.tenant_id()) == ("usr_2", "tnt_2")
        assert (context.request_id(), context.actor_id(), context.tenant_id()) == ("req_1", "", "")
        assert structlog.contextvars.get_contextvars()["request_id"] == "req_1"
        assert "job" not in structlog.contextvars.get_contextvars()
    assert (context.request_id(), context.correlation_id()) == ("", "")


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "new_password",
        "client_secret",
        "access_token",
        "refreshToken",
        "Authorization",
        "Set-Cookie",
        "api_key",
        "apiKey",
        "otp",
        "totp_code",
        "recovery_codes",
        "search",
        "confirmation",
        "query_string",
        "args",
    ],
)
@pytest.mark.parametrize("value", ["hunter2", 123456, ["a", "b"], {"a": "b"}])
def test_a_telling_key_hides_its_value(key: str, value: object) -> None:
    assert redact({"outer": [{key: value}]}) == {"outer": [{key: "[redacted]"}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization was Bearer abc.def-123", "Authorization was Bearer [redacted]"),
        (f"got {JWT}!", "got [redacted]!"),
        ("key sk_live_abcdefghijklmnop1234 used", "key [redacted] used"),
        ("redis://user:hunter2@host:1/0", "redis://[redacted]@host:1/0"),
        ("postgresql://:pw@h/d", "postgresql://[redacted]@h/d"),
        ("GET /users?search=jane&page=2", "GET /users?search=[redacted]&page=2"),
        ("DELETE /u?x=1&confirmation=jane%40acme.com", "DELETE /u?x=1&confirmation=[redacted]"),
        ("sent to jane.doe@acme.com and x@localhost", "sent to j***@acme.com and x***@localhost"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----.", "[redacted]."),
        ("nothing to see at 10:20, key_id usr_01", "nothing to see at 10:20, key_id usr_01"),
        ("job_01JABCDEFGHJKMNPQRSTVWXYZ0 and key_short", "job_01JABCDEFGHJKMNPQRSTVWXYZ0 and key_short"),
    ],
)
def test_a_telling_value_is_masked_in_any_text(text: str, expected: str) -> None:
    assert redact_text(text) == expected


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.binary(max_size=5) | st.uuids(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=30,
    )
)
def test_redaction_takes_any_value_and_gives_json(value: object) -> None:
    json.dumps(redact(value))


def test_redaction_ends_on_a_value_that_holds_itself() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert "[redacted]" in json.dumps(redact(loop))


def test_no_logger_lets_a_secret_through() -> None:
    with _captured() as lines:
        log = structlog.get_logger("apps.x")
        log.info("login", email="jane@acme.com", password="hunter2", header=f"Bearer {JWT}")
        log.warning("positional %s", "jane@acme.com")
        log.info("object", thing=ValueError("jane@acme.com"))
        logging.getLogger("y").error("std %s", {"token": "hunter2", "mail": "jane@acme.com"})
    text = json.dumps(lines())
    assert "jane@" not in text
    assert JWT not in text
    assert '"password": "[redacted]"' in text


def test_the_configuration_can_be_applied_and_names_both_styles() -> None:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        configure(logging_config(level="WARNING", style="console"))
        structlog.get_logger("z").warning("plain", token="hunter2")
    finally:
        configure(logging_config(level="INFO", style="json"))
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
