"""Requests as a WSGI server makes them, to a lane before the real application."""

import json
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from apps.core.principal import system
from apps.flags.lane import Lane
from apps.identity.services.tokens import issue_token
from apps.tenants.models import Tenant


class Wire:
    """A lane before the real application; says which of the two answered."""

    def __init__(self) -> None:
        self.passed = 0
        django = WSGIHandler()

        def behind(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            self.passed += 1
            return django(environ, start_response)

        self.lane = Lane(behind)

    def ask(
        self, method: str, address: str, *, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; `X_Service_Id="a"` is a header."""
        path, _, query = address.partition("?")
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(content)) if content else "",
            "CONTENT_TYPE": "application/json" if content else "",
            "wsgi.input": BytesIO(content),
            "wsgi.url_scheme": "http",
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items() if name != "REMOTE_ADDR"}
        environ["REMOTE_ADDR"] = headers.get("REMOTE_ADDR", "127.0.0.1")
        said: dict[str, Any] = {}

        def start_response(status: str, fields: list[tuple[str, str]], *_rest: Any) -> None:
            said["status"], said["headers"] = int(status[:3]), dict(fields)

        content = b"".join(self.lane(environ, start_response))
        return said["status"], said["headers"], content


def token_of(**claims: Any) -> str:
    return issue_token(actor=system("tests"), subject="svc-tests", **claims).text


def evaluate(tenant: Tenant, key: str = "checkout", extra: str = "") -> str:
    return f"/internal/admin/flags/{key}/evaluate?tenantId={tenant.public_id}{extra}"


def bootstrap(tenant: Tenant) -> str:
    return f"/internal/admin/flags/bootstrap?tenantId={tenant.public_id}"
