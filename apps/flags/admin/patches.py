"""Changes that somebody wrote as JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from apps.flags.errors import FlagInvalid

_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "description": ((str,), "A string is expected."),
    "defaultEnabled": ((bool,), "true or false is expected."),
    "type": ((str,), "A string is expected."),
    "variations": ((list,), "A list is expected."),
    "offVariation": ((str, type(None)), "A string is expected."),
    "rules": ((list,), "A list is expected."),
    "rollout": ((dict, type(None)), "An object or null is expected."),
    "prerequisites": ((list,), "A list is expected."),
    "hash": ((str,), "A string is expected."),
    "salt": ((str,), "A string is expected."),
    "tags": ((list,), "A list of strings is expected."),
    "owner": ((str,), "A string is expected."),
    "expiresAt": ((str, type(None)), "A date and a time, or null."),
    "needsApproval": ((bool,), "true or false is expected."),
}


def patch(text: str, place: str = "json") -> dict[str, Any]:
    """A change that somebody wrote as JSON; its sense is judged by the service.

    Raises:
        FlagInvalid: it is no JSON object of the fields of a PATCH; errors of the whole are told of `place`.
    """
    try:
        found = parsed(text)
    except ValueError as wrong:
        raise FlagInvalid(place, f"This is no JSON: {wrong}") from None
    if not isinstance(found, dict):
        raise FlagInvalid(place, "A JSON object is expected.")
    return checked(found)


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a PATCH, each of the kind that the service takes.

    Raises:
        FlagInvalid
    """
    for name, value in fields.items():
        if name not in _KINDS:
            raise FlagInvalid(name, f"There is no field {name[:64]!r}.")
        kinds, sentence = _KINDS[name]
        if not isinstance(value, kinds):
            raise FlagInvalid(name, sentence)
    if not all(isinstance(each, str) for each in fields.get("tags", [])):
        raise FlagInvalid("tags", _KINDS["tags"][1])
    if text := fields.get("expiresAt"):
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise FlagInvalid("expiresAt", "A date and a time, like 2026-12-24T18:00.") from None
        fields["expiresAt"] = (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
    return fields


def parsed(text: str) -> Any:
    """JSON as PostgreSQL can keep it.

    Raises:
        ValueError: it is none, or holds NaN, half a surrogate pair or the character NUL.
    """
    if "\0" in text or "\\u0000" in text:
        raise ValueError("the character NUL can't be kept")
    return orjson.loads(text)
