"""config.env: a wrong variable stops the start with a sentence that names it."""

import os

import pytest
from pydantic import ValidationError

from config.env import Environment, _sentence, environment


def _refusals(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> list[str]:
    for name, value in changes.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    try:
        Environment()
    except ValidationError as refused:
        return [_sentence(error) for error in refused.errors()]
    return []


def test_the_environment_of_the_tests_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _refusals(monkeypatch) == []


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "STEWARD_MASTER_KEYS", "STEWARD_KEY_PEPPER", "DATABASE_URL", "REDIS_URL"]
)
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (sentence,) = _refusals(monkeypatch, **{name: None})
    assert sentence.startswith(f"Set {name} (")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("STEWARD_MASTER_KEYS", "k1:short", "k1"),
        ("STEWARD_MASTER_KEYS", "", "must be written id:"),
        ("SECRET_KEY", "short", "at least 32"),
        ("DATABASE_URL", "mysql://x", "postgresql://"),
        ("EMAIL_URL", "http://relay", "smtp://"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,everywhere", "everywhere"),
        ("STEWARD_ENVIRONMENT", "staging", "production"),
    ],
)
def test_a_wrong_variable_is_named_with_what_it_must_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    (sentence,) = _refusals(monkeypatch, **{name: value})
    assert sentence.startswith(f"{name} is wrong: ")
    assert words in sentence


def test_every_wrong_variable_is_named_and_the_start_ends_with_78(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("STEWARD_MASTER_KEYS", "k1:c2VjcmV0LXRoYXQtbXVzdC1ub3QtYmUtc2hvd24=")
    with pytest.raises(SystemExit) as ended:
        environment.__wrapped__()
    assert ended.value.code == 78
    said = capsys.readouterr().err
    assert "Set REDIS_URL" in said
    assert "STEWARD_MASTER_KEYS is wrong" in said
    assert "c2VjcmV0" not in said


def test_secrets_of_the_environment_are_not_shown_by_their_own_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = "postgres-password-in-here"
    sentences = _refusals(monkeypatch, DATABASE_URL=f"mysql://u:{secret}@h/d")
    assert secret not in " ".join(sentences)
    assert "DATABASE_URL" in os.environ
