"""Callers of the platform surface: by a session of the back office."""

import json
from typing import Any

from django.test import Client

from apps.users.models import User
from tests.factories import make_staff
from tests.users.support import sign_in

USERS = "/api/v1/platform/admin/users"


class Caller:
    """A member of staff at the platform surface; JSON in, JSON out."""

    def __init__(self, *roles: str, user: User | None = None) -> None:
        self.user = user or make_staff(*roles)
        self.client = Client(raise_request_exception=False)
        sign_in(self.client, self.user)

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        response = self.client.get(path, query)
        return response.status_code, response.json()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        response = self.client.generic(
            method,
            path,
            "" if body is None else _json(body),
            content_type="application/json",
            headers=headers,
        )
        return response.status_code, response.json()

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The rows of a list that must succeed."""
        status, answer = self.get(path, **query)
        assert status == 200, answer
        found: list[dict[str, Any]] = answer["data"]
        return found


def _json(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)
