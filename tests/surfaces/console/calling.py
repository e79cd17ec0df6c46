"""Callers of the console surface; JSON in, JSON out."""

import json
from typing import Any

import jsonschema
from django.test import Client

from apps.surfaces.console import SURFACE

USERS = "/api/admin/users"
BACKFILL = "/api/admin/backfill-members"


def sent(client: Client, line: str, body: Any = None, **headers: str) -> Any:
    """The response to `POST /api/…`, its JSON taken as it stands where it is bytes."""
    method, _, path = line.partition(" ")
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return client.generic(method, path, raw, content_type="application/json", headers=headers)


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The error of a refusal, which must have the shape of the contract."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["error"]["code"]) == (status, code), body
    jsonschema.validate(body, SURFACE.error_schema())
    assert body["ok"] is False
    error: dict[str, Any] = body["error"]
    return error
