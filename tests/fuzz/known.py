"""Ids that exist, for cases that are to find something: those of the route's sample (tests/surfaces/samples.py)."""

from collections.abc import Mapping, MutableMapping
from hashlib import sha256
from typing import Any

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation

from apps.surfaces.control import API_VERSIONS
from tests.surfaces.places import Place
from tests.surfaces.samples import Sample, filled

# Literal segments where others are ids (contracts/platform.md): another route stands there.
RESERVED = frozenset({"test", "sync", "analytics", "provision"})
# One case of so many bears the sample's body: with fields that hang together, luck alone may never succeed.
_WHOLE = 10
# Headers of which a drawn value is good only by luck.
_HEADERS = {"X-API-Version": API_VERSIONS[0]}


class Chance:
    """Decides by what a case is, so that the same case is the same request when it comes again."""

    def __init__(self, case: Case[Any]) -> None:
        self._case = f"{case.method} {case!r}".encode("utf-8", "backslashreplace")

    def one_in(self, number: int, what: str) -> bool:
        """True for one of so many cases."""
        digest = sha256(what.encode() + b"\0" + self._case).digest()
        return int.from_bytes(digest[:4], "big") % number == 0


def refer(case: Case[Any], sample: Sample, place: Place, chance: Chance, *, always: bool = False) -> None:
    """Puts values of the sample where the case has some of its own: every other time (or always), for each parameter.

    A case that is wrong on purpose keeps what is wrong about it.
    """

    def replace(where: MutableMapping[str, Any], values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            inner = where.get(name)
            if isinstance(value, Mapping) and isinstance(inner, dict):
                replace(inner, value)
            elif name in where and (always or chance.one_in(2, name)):
                where[name] = filled(value, place)

    if case.meta is None or not case.meta.is_negative_at(ParameterLocation.PATH):
        replace(case.path_parameters, sample.path)
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    replace(case.query, sample.query)
    replace(case.headers, _HEADERS)
    body: Any = case.body
    if sample.body is not None and (always or chance.one_in(_WHOLE, "as the sample")):
        case.body = body = filled(sample.body, place)
    if isinstance(body, dict):
        case.body = body = whole(body)
        replace(body, sample.body or {})


def unreserved(case: Case[Any], sample: Sample, place: Place) -> None:
    """Puts the sample's id where a drawn one is the name of another route."""
    for name, value in case.path_parameters.items():
        if value in RESERVED:
            case.path_parameters[name] = filled(sample.path[name], place)


def whole(value: Any) -> Any:
    """`value` with 3 where it has 3.0: one number to a JSON schema, while Steward takes it for a fraction."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
