"""apps.core.erasing.traces: one person is taken out of a text, and nobody else."""

import json
from uuid import UUID

import pytest

from apps.core.erasing.traces import ERASED_EMAIL, ERASED_NAME, Traces

JANE = Traces(
    person_id=UUID("01a1feed-d547-7128-8eb6-884794222dd0"),
    public_id="usr_01M7ZEXHA72H8V5DM8GYA24BEG",
    emails=("jane@people.example", "old.jane@people.example"),
    name="Zoë Roe",
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to JANE@people.example.", f"write to {ERASED_EMAIL}."),
        ("<jane@people.example>,old.jane@people.example", f"<{ERASED_EMAIL}>,{ERASED_EMAIL}"),
        ("Zoë Roe <jane@people.example>", f"{ERASED_NAME} <{ERASED_EMAIL}>"),
        ("usr_01M7ZEXHA72H8V5DM8GYA24BEG is zoë roe", f"usr_01M7ZEXHA72H8V5DM8GYA24BEG is {ERASED_NAME}"),
        # Somebody else's addresses, and a namesake.
        ("mary.jane@people.example", None),
        ("jane@people.example.org", None),
        ("jane@people.examples", None),
        ("Zoë Roe came", None),
        ("Zoë Roebuck, jane@people.example", f"Zoë Roebuck, {ERASED_EMAIL}"),
    ],
)
def test_text_loses_the_person_and_nobody_else(text: str, left: str | None) -> None:
    assert JANE.without(text) == (text if left is None else left)


def test_json_stays_json_and_is_cleaned_however_deep_and_however_escaped() -> None:
    value = {"a": [{"jane@people.example": "Zoë Roe"}], "n": 1, "id": JANE.public_id}
    cleaned = {"a": [{ERASED_EMAIL: ERASED_NAME}], "n": 1, "id": JANE.public_id}
    assert JANE.without_in(value) == cleaned
    assert json.loads(JANE.without(json.dumps(value))) == cleaned
    untouched = json.dumps({"a": "Zoë Roe"})
    assert JANE.without(untouched) == untouched


def test_traces_are_kept_and_read_again() -> None:
    assert Traces.from_json(JANE.to_json()) == JANE


def test_person_without_name_or_address_is_not_everybody() -> None:
    nobody = Traces(JANE.person_id, JANE.public_id, (), "")
    for text in ("", "any text", '{"a": ""}', f"{JANE.public_id} is here"):
        assert nobody.without(text) == text
