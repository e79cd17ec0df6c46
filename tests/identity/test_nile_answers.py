"""What is kept of Nile's answers."""

from apps.identity.nile import Answers


def test_kept_answers_are_bounded() -> None:
    asked: list[str] = []

    def ask(token: str) -> str:
        asked.append(token)
        return token

    answers = Answers(ask, size=3)
    for name in ("a", "b", "c", "d", "d", "a"):
        assert answers.subject(name, f"{ord(name):064x}") == name
    assert asked == ["a", "b", "c", "d", "a"]
