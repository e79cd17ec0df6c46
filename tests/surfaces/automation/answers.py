"""What an answer of the automation surface must look like."""

from typing import Any

import jsonschema

from apps.surfaces.automation import SURFACE


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, in the documented shape and no other."""
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    jsonschema.validate(body, SURFACE.error_schema())
    assert body["code"] == code
    assert ("errors" in body) is (code == "invalid")
    assert response["Cache-Control"] == "no-store"
    return body
