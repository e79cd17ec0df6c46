"""OpenFeature's Remote Evaluation Protocol as a surface of its own: its errors are not those of `service`.

Source: OFREP 0.3, published by OpenFeature; contracts/service.md, "OpenFeature". Callers and rights are those of the
service surface. Providers know the statuses 200, 304, 400, 401, 403, 404, 429 and 500: whatever else is wrong with a
request is 400 here.
"""

from collections.abc import Mapping
from typing import Any

from apps.core.errors import Kind
from apps.surfaces.kit.problems import Circumstances, Problem, Sort, Transport
from apps.surfaces.kit.views import SurfaceViewSet
from apps.surfaces.service import Service

PREFIX = "/ofrep/v1"
SINGLE = f"{PREFIX}/evaluate/flags/"

_CODES: Mapping[Sort, str] = {
    Kind.INVALID: "INVALID_CONTEXT",
    Kind.NOT_FOUND: "FLAG_NOT_FOUND",
}
# Codes of OpenFeature that a domain error may bear itself.
_OWN = frozenset({"PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"})
_UNREADABLE = frozenset({"MALFORMED_JSON"})
_AS_400 = frozenset({Kind.TOO_LARGE, Kind.UNPROCESSABLE, Transport.UNSUPPORTED_MEDIA_TYPE})


class Ofrep(Service):
    name = "ofrep"
    title = "Steward: OpenFeature remote evaluation"
    description = "Evaluates flags for the OFREP providers of OpenFeature's SDKs."
    prefixes = [PREFIX]

    def status(self, problem: Problem) -> int:
        return 400 if problem.sort in _AS_400 else super().status(problem)

    def error(self, problem: Problem, where: Circumstances) -> dict[str, Any]:
        body: dict[str, Any] = {"errorCode": code_of(problem), "errorDetails": _sentence(problem)}
        if where.path.startswith(SINGLE):
            body = {"key": where.path.removeprefix(SINGLE), **body}
        return body

    def error_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "key": {"type": "string", "description": "The flag asked for, where it was one."},
                "errorCode": {"type": "string", "enum": sorted(_OWN)},
                "errorDetails": {"type": "string"},
            },
            "required": ["errorCode", "errorDetails"],
            "additionalProperties": False,
        }

    def error_example(self, status: int) -> dict[str, Any]:
        if status == 404:
            return {
                "key": "new-checkout",
                "errorCode": "FLAG_NOT_FOUND",
                "errorDetails": "There is no such flag.",
            }
        if status == 400:
            return {"errorCode": "INVALID_CONTEXT", "errorDetails": "context: A JSON object is expected."}
        return {"errorCode": "GENERAL", "errorDetails": "Sign in first."}


def code_of(problem: Problem) -> str:
    """OpenFeature's code for a refusal; GENERAL for whatever it has none for."""
    if problem.code in _OWN:
        return problem.code
    if problem.code in _UNREADABLE:
        return "PARSE_ERROR"
    return _CODES.get(problem.sort, "GENERAL")


def _sentence(problem: Problem) -> str:
    """One line for a log: what the other surfaces say in `details` stands in it."""
    named = [
        f"{name}: {sentence}"
        for name, sentences in problem.details.items()
        if isinstance(sentences, list | tuple)
        for sentence in sentences
    ]
    return " ".join([problem.message, *named])


SURFACE = Ofrep()


class ViewSet(SurfaceViewSet):
    """A view of the OFREP surface."""

    surface = SURFACE
