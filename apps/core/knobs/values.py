"""Values of knobs: text outside, typed inside, one canonical spelling each."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from apps.core.errors import Invalid, TooLarge
from apps.core.parsing import parse_json

LONGEST_TEXT = 10_000
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_BAD_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class ValueType(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"
    CHOICE = "choice"
    JSON = "json"


class ValueWrong(ValueError):
    """The text is no value of this shape; the message is a sentence for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What values a knob takes.

    Attributes:
        minimum, maximum: bounds of integers and numbers, both included.
        choices: the values of a choice.
        check: of strings and JSON: answers a sentence that says what is wrong, or None.
    """

    type: ValueType
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[Any], str | None] | None = None

    def parse(self, text: str) -> Any:
        """The typed value: int, float, bool, str, or any JSON value.

        Raises:
            ValueWrong: not of the type, out of bounds, no choice, or refused by the check.
        """
        if len(text) > LONGEST_TEXT:
            raise ValueWrong(f"A value has at most {LONGEST_TEXT:,} characters.")
        if _BAD_CHARACTERS.search(text):
            raise ValueWrong("A value holds no control characters.")
        value = _PARSERS[self.type](self, text)
        sentence = self.check(value) if self.check is not None else None
        if sentence:
            raise ValueWrong(sentence)
        return value

    def write(self, value: Any) -> str:
        """The canonical text of a typed value: equal values have equal texts."""
        match self.type:
            case ValueType.BOOLEAN:
                return "true" if value else "false"
            case ValueType.NUMBER:
                return f"{Decimal(str(value)).normalize():f}"
            case ValueType.JSON:
                return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            case _:
                return str(value)

    def canonical(self, text: str) -> str:
        """The canonical spelling of a text: `007` is `7`.

        Raises:
            ValueWrong: as `parse`; also where the canonical spelling is no value itself, so that nothing is kept that
                no process could read.
        """
        found = self.write(self.parse(text))
        self.parse(found)
        return found

    def describe(self) -> str:
        """What may be set, in words: `integer, 5 to 1440`."""
        if self.type is ValueType.CHOICE:
            return "one of " + ", ".join(self.choices)
        bounds = ""
        if self.minimum is not None and self.maximum is not None:
            bounds = f", {self.minimum:f} to {self.maximum:f}"
        elif self.minimum is not None:
            bounds = f", at least {self.minimum:f}"
        elif self.maximum is not None:
            bounds = f", at most {self.maximum:f}"
        return f"{self.type.value}{bounds}"


def _bounded(shape: Shape, value: Decimal) -> None:
    if shape.minimum is not None and value < shape.minimum:
        raise ValueWrong(f"The value must be at least {shape.minimum:f}.")
    if shape.maximum is not None and value > shape.maximum:
        raise ValueWrong(f"The value must be at most {shape.maximum:f}.")


def _integer(shape: Shape, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueWrong("The value must be a whole number.")
    _bounded(shape, Decimal(text))
    return int(text)


def _number(shape: Shape, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueWrong("The value must be a number, written like 0.25.")
    _bounded(shape, Decimal(text))
    return float(text)


def _boolean(shape: Shape, text: str) -> bool:
    del shape
    if text not in {"true", "false"}:
        raise ValueWrong("The value must be true or false.")
    return text == "true"


def _string(shape: Shape, text: str) -> str:
    del shape
    return text


def _choice(shape: Shape, text: str) -> str:
    if text not in shape.choices:
        raise ValueWrong(f"The value must be one of {', '.join(shape.choices)}.")
    return text


def _json(shape: Shape, text: str) -> object:
    del shape
    try:
        return parse_json(text.encode())
    except (Invalid, TooLarge) as wrong:
        raise ValueWrong(wrong.message.replace("The body", "The value")) from None


_PARSERS: dict[ValueType, Callable[[Shape, str], Any]] = {
    ValueType.INTEGER: _integer,
    ValueType.NUMBER: _number,
    ValueType.BOOLEAN: _boolean,
    ValueType.STRING: _string,
    ValueType.CHOICE: _choice,
    ValueType.JSON: _json,
}
