"""The knobs that code declares, and where their values come from."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar, cast
from uuid import UUID

from apps.core.knobs.values import Shape, ValueType, ValueWrong

T = TypeVar("T")
NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
LONGEST_NAME = 120


class Scope(StrEnum):
    """For whom a value may be set. Tenants' values win over the platform's."""

    PLATFORM = "PLATFORM"
    TENANT = "TENANT"


class _Unset:
    """No value is set: the default stands."""


UNSET: Final = _Unset()


class Source(Protocol):
    """Where values come from. Asked on hot paths: it answers from memory and never raises."""

    def value(self, name: str, tenant_id: UUID | None) -> object:
        """The typed value that is set for the tenant, else for the platform, else UNSET."""


@dataclass(frozen=True, slots=True)
class Knob(Generic[T]):
    """One declared key.

    Attributes:
        name: dotted, lower case; `tenant.…` where a tenant may have a value of its own.
        default: what stands where nothing is set; a callable where it comes from settings. None: no value.
        section: the heading under which people find it.
        secret: values are sealed in the database and masked wherever they are shown.
    """

    name: str
    shape: Shape
    default: T | Callable[[], T]
    description: str
    scopes: frozenset[Scope] = frozenset({Scope.PLATFORM})
    secret: bool = False
    section: str = "General"

    def standard(self) -> T:
        """The declared default."""
        return self.default() if callable(self.default) else self.default

    def standard_text(self) -> str | None:
        """The default as canonical text; None where there is none."""
        value = self.standard()
        return None if value is None else self.shape.write(value)

    def get(self, tenant_id: UUID | None = None) -> T:
        """The value in force: the tenant's, else the platform's, else the default. From memory, no query."""
        found = _state.source.value(self.name, tenant_id) if _state.source is not None else UNSET
        return self.standard() if found is UNSET else cast("T", found)


class _State:
    source: Source | None = None


_state = _State()
_declared: dict[str, Knob[Any]] = {}


def provide(source: Source | None) -> None:
    """Installs where values come from; None: every knob stands at its default."""
    _state.source = source


def source() -> Source | None:
    return _state.source


def is_name(text: str) -> bool:
    """True where `text` may name a knob: dotted lower-case words, at most 120 characters."""
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


def declare(declared: Knob[T]) -> Knob[T]:
    """Adds a knob to the catalogue.

    Raises:
        ValueError: the name is malformed or taken, or the default is no value of the shape.
    """
    if not is_name(declared.name):
        raise ValueError(f"{declared.name!r} is no name of a knob: dotted lower-case words")
    if declared.name in _declared:
        raise ValueError(f"the knob {declared.name!r} is declared already")
    if not callable(declared.default) and declared.default is not None:
        try:
            declared.shape.parse(declared.shape.write(declared.default))
        except ValueWrong as wrong:
            raise ValueError(f"the default of {declared.name!r}: {wrong}") from None
    _declared[declared.name] = declared
    return declared


def find(name: str) -> Knob[Any] | None:
    """The knob of that name that code declares."""
    return _declared.get(name)


def knob(name: str) -> Knob[Any]:
    """As `find`, for code that knows the knob must be there.

    Raises:
        KeyError: no app declares it (a programming error).
    """
    return _declared[name]


def knobs() -> list[Knob[Any]]:
    """All that code declares, by name."""
    return sorted(_declared.values(), key=lambda known: known.name)


_PLATFORM: frozenset[Scope] = frozenset({Scope.PLATFORM})
BOTH: frozenset[Scope] = frozenset(Scope)


def _scopes(tenants_too: bool) -> frozenset[Scope]:
    return BOTH if tenants_too else _PLATFORM


def integer(
    name: str,
    *,
    default: int | Callable[[], int],
    minimum: int,
    maximum: int,
    description: str,
    section: str = "General",
    tenants_too: bool = False,
) -> Knob[int]:
    """Declares a whole number within bounds (both included)."""
    shape = Shape(ValueType.INTEGER, minimum=Decimal(minimum), maximum=Decimal(maximum))
    return declare(Knob(name, shape, default, description, _scopes(tenants_too), section=section))


def number(
    name: str,
    *,
    default: float | Callable[[], float],
    minimum: str,
    maximum: str,
    description: str,
    section: str = "General",
    tenants_too: bool = False,
) -> Knob[float]:
    """Declares a decimal number within bounds (both included, written as text)."""
    shape = Shape(ValueType.NUMBER, minimum=Decimal(minimum), maximum=Decimal(maximum))
    return declare(Knob(name, shape, default, description, _scopes(tenants_too), section=section))


def boolean(
    name: str,
    *,
    default: bool | Callable[[], bool],
    description: str,
    section: str = "General",
    tenants_too: bool = False,
) -> Knob[bool]:
    """Declares a switch."""
    return declare(
        Knob(name, Shape(ValueType.BOOLEAN), default, description, _scopes(tenants_too), section=section)
    )


def choice(
    name: str,
    *,
    default: str,
    choices: Sequence[str],
    description: str,
    section: str = "General",
    tenants_too: bool = False,
) -> Knob[str]:
    """Declares one of a few words."""
    shape = Shape(ValueType.CHOICE, choices=tuple(choices))
    return declare(Knob(name, shape, default, description, _scopes(tenants_too), section=section))


def string(
    name: str,
    *,
    default: str | None,
    description: str,
    check: Callable[[Any], str | None] | None = None,
    section: str = "General",
    tenants_too: bool = False,
    secret: bool = False,
) -> Knob[str | None]:
    """Declares a text, or a secret."""
    shape = Shape(ValueType.STRING, check=check)
    return declare(
        Knob(name, shape, default, description, _scopes(tenants_too), secret=secret, section=section)
    )


def json(
    name: str,
    *,
    default: Any,
    description: str,
    check: Callable[[Any], str | None],
    section: str = "General",
    tenants_too: bool = False,
) -> Knob[Any]:
    """Declares a JSON value; `check` answers a sentence that says what is wrong with it, or None."""
    shape = Shape(ValueType.JSON, check=check)
    return declare(Knob(name, shape, default, description, _scopes(tenants_too), section=section))
