"""The page "Admin API Reference" of the surface `automation`, and what it shows.

The shell is open and holds nothing; the routes come from /admin/docs/data, with a key. Source: contracts/automation.md.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from django.conf import settings
from django.template.loader import render_to_string

from apps.surfaces import automation
from apps.surfaces.kit.actions import reads
from apps.surfaces.kit.answers import Answer, Stream
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.surface import OPEN

# Scripts and styles from our own files alone; a key typed in leaves for nowhere but here.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
_TEXT = {"type": "string"}
_FIELD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "in": {"type": "string", "enum": ["path", "query", "header", "body"]},
        "required": {"type": "boolean"},
        "type": _TEXT,
        "description": _TEXT,
        "default": {},
        "choices": {"type": ["array", "null"], "items": _TEXT},
    },
    "required": ["name", "in", "required", "type", "description", "default", "choices"],
}
_RESPONSE: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"type": "integer"}, "description": _TEXT, "example": {}},
    "required": ["status", "description", "example"],
}
_ROUTE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "method": _TEXT,
        "path": _TEXT,
        "summary": _TEXT,
        "description": _TEXT,
        "fields": {"type": "array", "items": _FIELD},
        "body": {},
        "responses": {"type": "array", "items": _RESPONSE},
    },
    "required": ["method", "path", "summary", "description", "fields", "body", "responses"],
}
_DATA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sections": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": _TEXT, "routes": {"type": "array", "items": _ROUTE}},
                "required": ["name", "routes"],
            },
        }
    },
    "required": ["sections"],
}


class Reference(automation.ViewSet):
    """The reference of this surface."""

    tag = "Reference"

    @reads(
        permission=OPEN,
        throttle="automation",
        answer=None,
        formats={"text/html": "The page."},
        refusals=[],
    )
    def page(self, call: Call) -> Stream:
        """The page that shows all this; it asks for the key itself."""
        del call
        html = render_to_string("automation/reference.html")
        return Stream([html.encode()], "text/html; charset=utf-8", headers=_HEADERS)

    @reads(permission=automation.KEY, throttle="automation", answer=_DATA, refusals=[])
    def data(self, call: Call) -> Answer:
        """What the page shows: every route by section, with examples and response codes."""
        del call
        return Answer(_sections(Path(settings.BASE_DIR) / "openapi" / "automation.yaml"))


@cache
def _sections(document: Path) -> dict[str, Any]:
    """The committed document, read once in a process, as the page wants it."""
    whole = yaml.safe_load(document.read_text())
    sections: dict[str, list[dict[str, Any]]] = {}
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            shown = _route(method.upper(), path, operation, whole)
            sections.setdefault(operation["tags"][0], []).append(shown)
    return {"sections": [{"name": name, "routes": routes} for name, routes in sections.items()]}


def _route(method: str, path: str, operation: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = _followed(body.get("schema", {}), whole)
    return {
        "method": method,
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "fields": [
            *(_parameter(each) for each in operation.get("parameters", [])),
            *_members(schema),
        ],
        "body": body.get("example"),
        "responses": [
            _response(int(status), _followed(response, whole))
            for status, response in operation["responses"].items()
        ],
    }


def _parameter(found: Mapping[str, Any]) -> dict[str, Any]:
    description = found.get("description", "")
    return _field(found["name"], found["in"], found.get("required", False), found["schema"], description)


def _members(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields of a body."""
    required = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        yield _field(name, "body", name in required, inner, inner.get("description", ""))


def _field(
    name: str, place: str, required: bool, schema: Mapping[str, Any], description: str
) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required,
        "type": _kind(schema),
        "description": description,
        "default": schema.get("default"),
        "choices": [str(each) for each in schema["enum"]] if "enum" in schema else None,
    }


def _kind(schema: Mapping[str, Any]) -> str:
    """The type of a field, with its bounds: `integer, 1 to 100`."""
    kind = schema.get("type", "")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "minimum" in schema and "maximum" in schema and schema["maximum"] < 10**9:
        return f"{words}, {schema['minimum']} to {schema['maximum']}"
    return f"{words}, {schema['minimum']} or more" if "minimum" in schema else words


def _response(status: int, response: Mapping[str, Any]) -> dict[str, Any]:
    media = response.get("content", {}).get("application/json", {})
    return {"status": status, "description": response["description"], "example": media.get("example")}


def _followed(found: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` of the document stands for."""
    reference = found.get("$ref")
    if reference is None:
        return found
    inner: Any = whole
    for part in reference.removeprefix("#/").split("/"):
        inner = inner[part]
    return cast("Mapping[str, Any]", inner)
