"""Fields of input. Strict: a string is a string, a whole number is one, and "true" is no boolean.

In a `Query` everything arrives as text; the same fields read it there, as strictly.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.dateparse import parse_date, parse_datetime
from rest_framework import serializers

from apps.core import ids

# Whole numbers that every JSON reader keeps exactly (RFC 7493).
_SAFE = 2**53 - 1
_WHOLE = re.compile(r"-?\d{1,16}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,6})?", re.ASCII)
# `+` in a query string that nobody encoded arrives as a space.
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$", re.ASCII)


class Written:
    """Marks a serializer whose values arrive as text."""


def _is_written(field: Any) -> bool:
    return isinstance(field.root, Written)


class _AsSent(serializers.CharField):
    """A string; surrounding white space is dropped. `max_length` counts the characters that were sent, those too, as
    OpenAPI's maxLength does."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class Text(_AsSent):
    """A string, see above.

    `openapi` is what OpenAPI says beside, of a rule that is kept elsewhere: `{"pattern": "^[A-Z]{3}$"}`.
    """

    def __init__(self, *, max_length: int, openapi: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.openapi = openapi or {}


class TenantId(serializers.CharField):
    """The id of a tenant, as a UUID; `tn_` and `ten_` are read too."""

    openapi: ClassVar[Mapping[str, Any]] = {"pattern": ids.pattern(ids.TENANT)}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"help_text": "`tnt_` and 26 characters.", **options})

    def to_internal_value(self, data: Any) -> Any:
        found = ids.parse_or_none(ids.TENANT, data) if isinstance(data, str) else None
        if found is None:
            raise serializers.ValidationError("A tenant's id is written tnt_ and 26 characters.")
        return found


class Address(serializers.IPAddressField):
    """An IPv4 or IPv6 address."""

    openapi: ClassVar[Mapping[str, Any]] = {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


class Pattern(_AsSent, serializers.RegexField):
    """A string of a certain form."""


class Email(_AsSent, serializers.EmailField):
    """An e-mail address, in lower case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).lower()


class Whole(serializers.IntegerField):
    """A whole number; 1.0 and true are none."""

    def __init__(self, *, min_value: int = -_SAFE, max_value: int = _SAFE, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: Any) -> int:
        if _is_written(self) and isinstance(data, str) and _WHOLE.fullmatch(data):
            return int(data)
        if type(data) is not int:
            self.fail("invalid")
        return int(data)


class Amount(serializers.DecimalField):
    """A JSON number with a fraction, as Decimal."""

    def __init__(self, *, max_digits: int = 14, decimal_places: int = 2, **options: Any) -> None:
        super().__init__(
            max_digits=max_digits, decimal_places=decimal_places, coerce_to_string=False, **options
        )
        step = Decimal(1).scaleb(-decimal_places)
        most = Decimal(10) ** (max_digits - decimal_places) - step
        self.openapi = {
            "minimum": float(-most if self.min_value is None else self.min_value),
            "maximum": float(most if self.max_value is None else self.max_value),
            "multipleOf": float(step),
        }

    def to_internal_value(self, data: Any) -> Decimal:
        if _is_written(self):
            if not (isinstance(data, str) and _NUMBER.fullmatch(data)):
                self.fail("invalid")
        elif type(data) not in {int, float}:
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if _is_written(self) and data in {"true", "false"}:
            return bool(data == "true")
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:40])
        return data


class Choice(serializers.ChoiceField):
    """One of a few strings."""

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        super().__init__(choices=[str(each) for each in choices], **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            known = ", ".join(map(str, self.choices))
            raise serializers.ValidationError(f"Must be one of: {known}.", code="invalid_choice")
        return data


class Moment(serializers.DateTimeField):
    """An instant, ISO 8601; without an offset UTC is meant, a bare date is its first instant."""

    def to_internal_value(self, value: Any) -> datetime:
        found = _instant(value) if isinstance(value, str) else None
        if found is None:
            self.fail("invalid", format="2026-01-31T12:00:00Z")
        return found


def _instant(text: str) -> datetime | None:
    text = _LOST_PLUS.sub(r"+\1", text.strip())
    try:
        found = parse_datetime(text)
        day = parse_date(text) if found is None else None
        if day is not None:
            found = datetime.combine(day, time())
        if found is None or found.tzinfo:
            # Years 1 and 9999 overflow when their offset is taken off.
            return found.astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC)


class Day(serializers.DateField):
    """A date, ISO 8601."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            self.fail("invalid", format="2026-01-31")
        return super().to_internal_value(value)


class Items(serializers.ListField):
    """A list whose members are all of one kind: `Items(child=Text(max_length=60), max_length=20)`."""

    def __init__(
        self, *, max_length: int = 1000, openapi: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        super().__init__(max_length=max_length, **options)
        self.openapi = openapi or {}


class Mapped(serializers.DictField):
    """An object with free keys (≤ 200 characters) and values of one kind."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping) and any(len(str(key)) > 200 for key in data):
            raise serializers.ValidationError("Keys have at most 200 characters.", code="invalid")
        return super().to_internal_value(data)
