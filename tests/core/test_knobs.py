"""apps.core.knobs: shapes, declarations, and where values come from."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import pytest

from apps.core import knobs
from apps.core.ids import new_id
from apps.core.knobs import UNSET, Knob, Scope, Shape, ValueType, ValueWrong


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("apps.core.knobs.registry._declared", {})
    before = knobs.source()
    knobs.provide(None)
    yield
    knobs.provide(before)


@pytest.mark.parametrize(
    ("shape", "text", "value", "canonical"),
    [
        (Shape(ValueType.INTEGER), "007", 7, "7"),
        (Shape(ValueType.INTEGER), "-3", -3, "-3"),
        (Shape(ValueType.NUMBER), "0.2500", 0.25, "0.25"),
        (Shape(ValueType.NUMBER), "1000", 1000.0, "1000"),
        (Shape(ValueType.BOOLEAN), "true", True, "true"),
        (Shape(ValueType.STRING), " a b\n", " a b\n", " a b\n"),
        (Shape(ValueType.CHOICE, choices=("a", "b")), "b", "b", "b"),
        (
            Shape(ValueType.JSON),
            '{"b": [1, "ü"], "a": null}',
            {"b": [1, "ü"], "a": None},
            '{"a":null,"b":[1,"ü"]}',
        ),
    ],
)
def test_text_is_read_typed_and_written_in_one_spelling(
    shape: Shape, text: str, value: object, canonical: str
) -> None:
    assert shape.parse(text) == value
    assert shape.canonical(text) == canonical
    assert shape.canonical(canonical) == canonical


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        # An escape that the canonical text would hold as the character itself.
        (Shape(ValueType.JSON), '["\\u007f"]'),
        # Short as it was sent, too long as it would be kept.
        (Shape(ValueType.JSON), f"[{','.join(['1e15'] * 1990)}]"),
        # Rounded up to one digit more than a number may have.
        (Shape(ValueType.NUMBER), "999999999999999.999999999999999"),
    ],
)
def test_text_whose_canonical_spelling_could_not_be_read_again_is_refused(shape: Shape, text: str) -> None:
    shape.parse(text)
    with pytest.raises(ValueWrong):
        shape.canonical(text)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (Shape(ValueType.INTEGER), "1.0"),
        (Shape(ValueType.INTEGER), "1_000"),
        (Shape(ValueType.INTEGER, maximum=Decimal(5)), "6"),
        (Shape(ValueType.NUMBER), "1e400"),
        (Shape(ValueType.NUMBER), "Infinity"),
        (Shape(ValueType.BOOLEAN), "True"),
        (Shape(ValueType.CHOICE, choices=("a",)), ""),
        (Shape(ValueType.JSON), "1e400"),
        (Shape(ValueType.JSON), '{"a": 1, "a": 2}'),
        (Shape(ValueType.STRING), "a\x00"),
        (Shape(ValueType.STRING), "\ud800"),
        (Shape(ValueType.STRING), "x" * 10_001),
        (Shape(ValueType.STRING, check=lambda text: None if text else "Say something."), ""),
    ],
)
def test_text_that_is_no_value_is_refused_with_a_sentence(shape: Shape, text: str) -> None:
    with pytest.raises(ValueWrong, match=r"\.$"):
        shape.parse(text)


class Fixed:
    """A source of two values."""

    def __init__(self, tenant: UUID) -> None:
        self._tenant = tenant

    def value(self, name: str, tenant_id: UUID | None) -> object:
        if name != "a.limit":
            return UNSET
        return 2 if tenant_id == self._tenant else 1


def test_value_comes_from_the_source_else_from_the_default() -> None:
    limit = knobs.integer("a.limit", default=5, minimum=1, maximum=9, description="L", tenants_too=True)
    other = knobs.boolean("a.switch", default=lambda: True, description="S")
    assert (limit.get(), other.get()) == (5, True)
    tenant = new_id()
    knobs.provide(Fixed(tenant))
    assert (limit.get(), limit.get(tenant), limit.get(new_id()), other.get()) == (1, 2, 1, True)
    assert limit.scopes == {Scope.PLATFORM, Scope.TENANT}
    assert knobs.knobs() == [limit, other]
    assert knobs.find("a.other") is None


@pytest.mark.parametrize("name", ["", "A", "a-b", "a.", "x" * 121])
def test_declaration_with_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        knobs.boolean(name, default=True, description="D")


def test_declaration_twice_or_with_a_default_out_of_bounds_is_refused() -> None:
    knobs.boolean("a", default=True, description="D")
    with pytest.raises(ValueError, match="declared already"):
        knobs.boolean("a", default=True, description="D")
    with pytest.raises(ValueError, match="default of 'b'"):
        knobs.integer("b", default=10, minimum=1, maximum=9, description="D")
    knob: Knob[str | None] = knobs.string("c", default=None, secret=True, description="D")
    assert knob.standard_text() is None
