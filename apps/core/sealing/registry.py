"""Which columns hold sealed values: what rotate_master_key walks. Registered in each app's `apps.py`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class SealedColumn:
    """A column, or one member of a JSON object in a column.

    Attributes:
        model: `app_label.ModelName`.
        field: a BinaryField (`seal`), a text field (`seal_text`), or a JSONField together with `json_key`.
        purpose: what the values are sealed for.
        json_key: the member of the JSON object that holds a `seal_text` value; objects without it are passed over.
        swept: an erasure looks inside for what mentions the person.
    """

    model: str
    field: str
    purpose: str
    json_key: str = ""
    swept: bool = True

    def __str__(self) -> str:
        return f"{self.model}.{self.field}" + (f"[{self.json_key}]" if self.json_key else "")


_columns: set[SealedColumn] = set()


def register_sealed(
    model_label: str, field: str, purpose: str, *, json_key: str = "", swept: bool = True
) -> None:
    """Names a sealed column; empty and null values in it are passed over."""
    _columns.add(
        SealedColumn(model=model_label, field=field, purpose=purpose, json_key=json_key, swept=swept)
    )


def sealed_columns() -> list[SealedColumn]:
    return sorted(_columns)
