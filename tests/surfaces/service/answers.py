"""What an answer of the service surface must look like."""

from typing import Any

import jsonschema

from apps.surfaces.service import SURFACE

CONFIG = "/api/v1/admin/platform-config"


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The `error` of a refusal, in the documented shape and no other."""
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    jsonschema.validate(body, SURFACE.error_schema())
    error: dict[str, Any] = body["error"]
    assert error["code"] == code
    assert error["requestId"] == response["X-Request-Id"]
    assert response["Cache-Control"] == "no-store"
    return error


def sent(client: Any, **body: Any) -> Any:
    """POST of a value."""
    return client.post(
        CONFIG,
        {"key": "global.session_idle_minutes", "value": "45", "scope": "PLATFORM", **body},
        content_type="application/json",
    )
