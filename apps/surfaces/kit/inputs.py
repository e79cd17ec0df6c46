"""Input of a route: bodies and query parameters. What is not declared is refused."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from django.conf import settings
from rest_framework import serializers

from apps.core.errors import Invalid
from apps.surfaces.kit.fields import Written

_UNKNOWN_FIELD = "This field is not known here."
_UNKNOWN_PARAMETER = "This parameter is not known here."
_NO_OBJECT = "A JSON object is expected."
_SHOWN = 64


class Body(serializers.Serializer[Any]):
    """A JSON object; also as a field inside another body. Unknown fields are refused, each by its name."""

    unknown = _UNKNOWN_FIELD
    # True where a published protocol asks to let unknown fields through; OpenAPI says so.
    is_open = False
    # How many fields are sent at least: for OpenAPI; the refusal is the service's, in its own words.
    fewest: ClassVar[int] = 0

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"body": [_NO_OBJECT]})
        strange = {str(key)[:_SHOWN]: [self.unknown] for key in data if key not in self.fields}
        try:
            known: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as wrong:
            found = wrong.detail if isinstance(wrong.detail, dict) else {"body": wrong.detail}
            raise serializers.ValidationError({**strange, **found}) from None
        if strange:
            raise serializers.ValidationError(strange)
        return known


class Query(Written, Body):
    """Query parameters. Unknown and repeated ones are refused."""

    unknown = _UNKNOWN_PARAMETER


class Nothing(Body):
    """A body without fields."""


@cache
def _bound(serializer: type[Body]) -> Body:
    """One instance for all requests: its fields are copied once, and validating keeps nothing in it."""
    return serializer()


def validated(serializer: type[Body], data: Any) -> dict[str, Any]:
    """The values of what the caller sent; fields that were left out and have no default are absent.

    Raises:
        Invalid: `details` is {field: [sentences]}, inner fields as `outer.inner`.
    """
    if data is None:
        raise Invalid(details={"body": [_NO_OBJECT]})
    try:
        return dict(_bound(serializer).run_validation(data))
    except serializers.ValidationError as wrong:
        raise Invalid(details=flattened(wrong.detail)) from None


def flattened(errors: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested errors as {`outer.inner`: [sentences]}."""
    if isinstance(errors, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in errors.items():
            # DRF blames a nested object as a whole under these names.
            whole = prefix and key in {"body", "non_field_errors"}
            name = prefix if whole else f"{prefix}.{key}" if prefix else str(key)
            for path, sentences in flattened(inner, name).items():
                found.setdefault("body" if path == "non_field_errors" else path, []).extend(sentences)
        return found
    if isinstance(errors, list | tuple):
        if any(isinstance(inner, Mapping) for inner in errors):
            found = {}
            for number, inner in enumerate(errors):
                if inner:
                    found.update(flattened(inner, f"{prefix}.{number}" if prefix else str(number)))
            return found
        return {prefix or "body": [str(sentence) for sentence in errors]}
    return {prefix or "body": [str(errors)]}


def parameters(query_string: str) -> list[tuple[str, str]]:
    """The pairs of a query string, in order.

    Raises:
        Invalid: percent-encoding that is no UTF-8, a NUL, or more pairs than Django takes.
    """
    pairs: list[tuple[str, str]] = []
    for part in query_string.split("&"):
        if not part:
            continue
        if len(pairs) >= (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS or 1000):
            raise Invalid("There are too many query parameters.")
        name, _, value = part.partition("=")
        pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(text: str) -> str:
    try:
        found = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeError:
        found = "\0"
    if "\0" in found:
        raise Invalid("The query string is not valid UTF-8.", details={"query": ["It is not valid UTF-8."]})
    return found


def single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """One value for each name.

    Raises:
        Invalid: a parameter stands twice.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Invalid(
                "A query parameter stands twice.", details={name[:_SHOWN]: ["This parameter stands twice."]}
            )
        found[name] = value
    return found
