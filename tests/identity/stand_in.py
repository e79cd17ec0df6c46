"""A stand-in for Nile's auth service, shaped after its published interface."""

import json
from collections.abc import Callable
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

SESSION = "0b6cb9a4-5c0e-4e3e-9a57-6a2f7f0f4a11"
# An encrypted JWT (RFC 7516): five parts, the second empty under `dir`.
ENCRYPTED = (
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..8bYv1Yc3o2Qw5nT1.Zm9vYmFyYmF6cXV4.kq0J8m2m4lY0q1gq1o8m3A"
)
SUBJECT = "01920b7d-5f5c-7c2e-8f7f-3d1d6c1f0a01"


class StandIn:
    """The auth service of one database: `GET /me` by session cookie; can be slow, broken, elsewhere, and counts."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/v2/databases/db1")
        self.sessions: dict[str, dict[str, Any]] = {}
        self.requests: list[Request] = []
        self.answer: Callable[[], Response | None] = lambda: None
        server.clear()
        server.expect_request("/v2/databases/db1/me", method="GET").respond_with_handler(self._me)
        server.expect_request("/elsewhere").respond_with_handler(self._me)

    @property
    def asked(self) -> int:
        return len(self.requests)

    def signed_in(self, token: str, subject: str, **more: Any) -> None:
        self.sessions[token] = {
            "id": subject,
            "email": "someone@example.com",
            "name": "Someone",
            "familyName": None,
            "givenName": None,
            "picture": None,
            "created": "2026-01-01T00:00:00.000Z",
            "updated": "2026-01-01T00:00:00.000Z",
            "tenants": [],
            **more,
        }

    def _me(self, request: Request) -> Response:
        self.requests.append(request)
        other = self.answer()
        if other is not None:
            return other
        person = self.sessions.get(request.cookies.get("nile.session-token", ""))
        if person is None:
            return Response(status=401)
        return Response(json.dumps(person), content_type="application/json")
