"""What an answer of the control surface must look like."""

import re
from typing import Any

import jsonschema

from apps.surfaces.control import SURFACE


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The `error` of a refusal, in the documented shape and no other."""
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    jsonschema.validate(body, SURFACE.error_schema())
    error: dict[str, Any] = body["error"]
    assert error["code"] == code, body
    assert error["correlationId"] == response["X-Correlation-Id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", error["timestamp"])
    assert response["Cache-Control"] == "no-store"
    return error
