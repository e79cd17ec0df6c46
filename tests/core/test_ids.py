"""apps.core.ids: one id in two spellings."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import ids
from apps.core.errors import Kind

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@given(value=st.uuids())
def test_every_uuid_is_read_back_from_its_public_form(value: UUID) -> None:
    text = ids.public(ids.USER, value)
    assert len(text) == 30
    assert ids.parse(ids.USER, text) == value
    assert ids.parse(ids.USER, text[:4] + text[4:].lower()) == value


def test_new_ids_are_version_7_and_grow() -> None:
    made = [ids.new_id() for _ in range(500)]
    assert made == sorted(made)
    assert len(set(made)) == 500
    assert {value.version for value in made} == {7}
    assert type(made[0]) is UUID


@pytest.mark.parametrize("prefix", ["tnt", "tn", "ten"])
def test_a_tenant_is_read_under_each_of_its_prefixes_and_written_under_one(prefix: str) -> None:
    value = ids.new_id()
    body = ids.public(ids.TENANT, value).removeprefix("tnt_")
    assert ids.parse(ids.TENANT, f"{prefix}_{body}") == value


BODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "usr",
        "usr_",
        f"usr{BODY}",
        f"tnt_{BODY}",
        f"usr_{BODY}0",
        f"usr_{BODY[:-1]}",
        f"usr_ {BODY[1:]}",
        f"usr_8{BODY[1:]}",
        f"usr_{BODY[:-1]}U",
        f"usr_{BODY[:-1]}I",
        f"usr_{BODY[:-1]}_",
        f"usr_{BODY[:-1]}\x00",
        f"usr_{BODY[:-2]}ß",
        "usr_" + "ß" * 13,
        f"USR_{BODY}",
        "usr_" + "Z" * 26,
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(ids.MalformedId) as refused:
        ids.parse(ids.USER, text)
    assert refused.value.kind is Kind.INVALID
    assert ids.parse_or_none(ids.USER, text) is None


@given(
    text=st.text(max_size=40)
    | st.text(ALPHABET + "IiLlOoUu8ß", min_size=26, max_size=26).map("usr_{}".format)
)
def test_any_text_is_an_id_or_refused_and_never_read_as_two(text: str) -> None:
    value = ids.parse_or_none(ids.USER, text)
    if value is not None:
        assert ids.public(ids.USER, value) == "usr_" + text[4:].upper()
