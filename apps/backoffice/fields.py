"""Small things about form fields."""

from typing import TypeVar

from django import forms

FieldT = TypeVar("FieldT", bound=forms.Field)


def narrow(field: FieldT) -> FieldT:
    """The field on half a line of the dialog."""
    setattr(field, "narrow", True)  # noqa: B010  read by the dialog's template alone
    return field


def only_with(field: FieldT, name: str, *values: str) -> FieldT:
    """The field is shown only while the field `name` has one of the values."""
    field.widget.attrs["data-only-with"] = f"{name}={'|'.join(values)}"
    return field
