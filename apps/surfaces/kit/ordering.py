"""`ordering=`: over named columns, NULLS LAST, always with the id as tie-breaker."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Field, Model, QuerySet
from django.db.models.expressions import OrderBy

from apps.core.errors import Invalid


class Ordering:
    """The columns of a list.

    `Ordering("created_at", "email", mrr="facts__mrr", default="-created_at")`: a name alone is its own column.
    """

    def __init__(self, *names: str, default: str = "-created_at", key: str = "id", **columns: str) -> None:
        self.columns: dict[str, str] = {**{name: name for name in names}, **columns}
        self.default = default
        self.key = key

    def choices(self) -> list[str]:
        return [sign + name for name in self.columns for sign in ("", "-")]

    def chosen(self, text: str | None) -> str:
        """What the caller asks for, or the default.

        Raises:
            Invalid: a column that is not named here.
        """
        if text is None:
            return self.default
        if text.removeprefix("-") not in self.columns or text.startswith("--"):
            known = ", ".join(self.columns)
            sentence = f"Order by one of: {known} (with - for descending)."
            raise Invalid("The request is not valid.", details={"ordering": [sentence]})
        return text

    def column(self, chosen: str) -> str:
        """The column behind a choice."""
        name = chosen.removeprefix("-")
        return self.columns.get(name, name)

    def nullable(self, model: type[Model], chosen: str) -> bool:
        """True where a row may have no value there."""
        return _is_nullable(model, self.column(chosen))

    def expressions(self, model: type[Model], chosen: str) -> Sequence[OrderBy]:
        descending = chosen.startswith("-")
        column = self.column(chosen)
        return [
            _by(column, descending=descending, nullable=_is_nullable(model, column)),
            _by(self.key, descending=descending, nullable=False),
        ]

    def apply(self, rows: "QuerySet[Any, Any]", chosen: str) -> "QuerySet[Any, Any]":
        return rows.order_by(*self.expressions(rows.model, chosen))


def _by(column: str, *, descending: bool, nullable: bool) -> OrderBy:
    # On a column without nulls the clause would only keep PostgreSQL from using the index (NULLS FIRST
    # is what a descending index has).
    last = True if nullable else None
    return F(column).desc(nulls_last=last) if descending else F(column).asc(nulls_last=last)


def _is_nullable(model: type[Model], column: str) -> bool:
    """True where the column, or the row that it stands on, may be absent."""
    here: Any = model
    for part in column.split("__"):
        options = here._meta  # noqa: SLF001  Django's documented interface
        try:
            field = options.pk if part == "pk" else options.get_field(part)
        except FieldDoesNotExist:
            return True  # an annotation
        if not isinstance(field, Field) or field.null:
            return True
        here = field.related_model or model
    return False
