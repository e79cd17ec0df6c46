"""What pages say: figures with their words, changes without what is not there, people by name."""

import pytest

from apps.backoffice import cells
from apps.backoffice.blocks import changes


@pytest.mark.parametrize(
    ("count", "noun", "plural", "said"),
    [
        (1, "tenant", "", "1 tenant"),
        (0, "tenant", "", "0 tenants"),
        (1204, "tenant", "", "1,204 tenants"),
        (2, "entry", "entries", "2 entries"),
    ],
)
def test_figure_agrees_with_its_word(count: int, noun: str, plural: str, said: str) -> None:
    assert cells.counted(count, noun, plural) == said


def test_change_from_nothing_says_so_and_lists_of_objects_are_json() -> None:
    was, made = {"status": "active"}, {"status": "suspended", "rules": [{"on": True}], "tags": ["a", "b"]}
    told = {each.key: (each.was_nothing, each.after) for each in changes(was, made)}
    assert told == {
        "status": (False, "suspended"),
        "rules": (True, '{"on": true}'),
        "tags": (True, "a, b"),
    }
