"""Who and what the running code works for: bound once at the door, on every log line and audit row."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

import structlog

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
_actor: ContextVar[str] = ContextVar("actor", default="")
_tenant: ContextVar[str] = ContextVar("tenant", default="")
_client_address: ContextVar[str | None] = ContextVar("client_address", default=None)

_OURS: dict[str, ContextVar[str]] = {
    "request_id": _request_id,
    "correlation_id": _correlation_id,
    "actor": _actor,
    "tenant": _tenant,
}


def request_id() -> str:
    """The id of the request or job under way; empty outside both."""
    return _request_id.get()


def correlation_id() -> str:
    """The caller's correlation id, or the one that was made for it; empty outside a request or job."""
    return _correlation_id.get()


def actor_id() -> str:
    """The id of the authenticated principal; empty before authentication."""
    return _actor.get()


def tenant_id() -> str:
    """The public id of the tenant the request is about; empty where there is none."""
    return _tenant.get()


def client_address() -> str | None:
    """The rightmost hop that is not a trusted proxy; None outside a request."""
    return _client_address.get()


@contextmanager
def bound(*, client: str | None = None, **values: Any) -> Iterator[None]:
    """Binds values to everything that is logged inside; `request_id`, `correlation_id`, `actor` and `tenant` are
    also answered by the functions above. On leaving, what stood before stands again.

    Args:
        client: the client's address, for `client_address()`; never logged.
    """
    tokens: list[tuple[ContextVar[str], Token[str]]] = [
        (_OURS[name], _OURS[name].set(str(value))) for name, value in values.items() if name in _OURS
    ]
    address = _client_address.set(client) if client is not None else None
    before = structlog.contextvars.get_contextvars()
    structlog.contextvars.bind_contextvars(**values)
    try:
        yield
    finally:
        # Also drops what identify() bound inside: worker threads serve one request after another.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**before)
        for variable, token in reversed(tokens):
            variable.reset(token)
        if address is not None:
            _client_address.reset(address)


def identify(*, actor: str | None = None, tenant: str | None = None) -> None:
    """Names the actor and tenant once they are known, until the enclosing `bound` that binds them ends.

    Args:
        actor: the principal's id (not personal: never a label or an e-mail address).
        tenant: the tenant's public id.
    """
    for name, value in (("actor", actor), ("tenant", tenant)):
        if value is not None:
            _OURS[name].set(value)
            structlog.contextvars.bind_contextvars(**{name: value})
