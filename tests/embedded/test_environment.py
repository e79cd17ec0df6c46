"""What processes are told: what was given wins, pairs stay together, nothing of ours is taken for real servers."""

import socket
import subprocess
from pathlib import Path

import pytest

from apps.embedded import environment, keys, stack
from apps.embedded.cli import main
from apps.embedded.state import Hold, Home, Trouble

PORTS = environment.Ports(web=8000, stream=8001, smtp=10250, mailbox=8025)
ENGINES = {
    "DATABASE_URL": "postgresql://steward_app:x@127.0.0.1:1/steward",
    "DATABASE_OWNER_URL": "postgresql://steward_owner:y@127.0.0.1:1/steward",
    "REDIS_URL": "redis://:z@127.0.0.1:2/0",
}


@pytest.fixture
def up_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Home:
    monkeypatch.setenv("STEWARD_STATE_DIR", str(tmp_path / ".steward"))
    home = Home(tmp_path / ".steward")
    home.prepare()
    return home


def test_environment_of_a_stack_names_every_variable_that_must_be_set() -> None:
    found = environment.application_environment({}, keys.new_keys(), ENGINES, ports=PORTS)

    assert found["ADMIN_KEYS"] == f"embedded:{found['STEWARD_ADMIN_KEY']}"
    assert found["STEWARD_ADMIN_KEY"].startswith("adm_")
    assert found["STEWARD_MASTER_KEYS"].startswith("k1:")
    assert found["PUBLIC_URL"] == found["STEWARD_URL"] == "http://127.0.0.1:8000"
    assert found["EMAIL_URL"] == "smtp://127.0.0.1:10250"
    assert found["STEWARD_MAILBOX_URL"] == "http://127.0.0.1:8025"
    assert found["STEWARD_ENVIRONMENT"] == "development"
    assert {name: found[name] for name in ENGINES} == ENGINES


def test_environment_what_was_given_wins_and_a_real_relay_needs_no_mail_catcher() -> None:
    given = {
        "EMAIL_URL": "smtps://relay",
        "ADMIN_KEYS": "ops:adm_given, two:adm_other",
        "SECRET_KEY": "given",
    }
    found = environment.application_environment(given, keys.new_keys(), ENGINES, ports=PORTS)

    assert "EMAIL_URL" not in found
    assert "STEWARD_MAILBOX_URL" not in found
    assert found["STEWARD_ADMIN_KEY"] == "adm_given"
    assert found["ADMIN_KEYS"] == given["ADMIN_KEYS"]
    assert found["SECRET_KEY"] == "given"


def test_environment_of_a_test_run_serves_and_mails_nothing() -> None:
    found = environment.application_environment({}, keys.new_keys(), ENGINES, ports=None)

    assert found["STEWARD_ENVIRONMENT"] == "test"
    assert not {"PUBLIC_URL", "EMAIL_URL", "STEWARD_URL"} & set(found)


def test_without_ours_our_own_exports_are_dropped_and_chosen_ones_kept(up_home: Home) -> None:
    chosen = {"EMAIL_URL": "smtps://relay", "PATH": "/bin"}
    environment.remember(up_home, ENGINES | {"EMAIL_URL": "smtps://relay"}, given=chosen)
    exported = environment.remembered(up_home) | chosen

    assert environment.without_ours(exported) == chosen


def test_without_ours_an_address_changed_after_the_exports_is_kept(up_home: Home) -> None:
    environment.remember(up_home, ENGINES, given={})
    exported = environment.remembered(up_home) | {"DATABASE_URL": "postgresql://real/steward"}

    assert environment.without_ours(exported) == {"DATABASE_URL": "postgresql://real/steward"}


def test_load_into_fills_in_what_is_missing_and_changes_nothing(up_home: Home) -> None:
    environment.remember(up_home, {"SECRET_KEY": "kept", "PUBLIC_URL": "http://ours"} | ENGINES, given={})
    environ = {"SECRET_KEY": "mine"}
    environment.load_into(environ)

    assert environ.pop(environment.EXPORTED)
    assert environ == {"SECRET_KEY": "mine", "PUBLIC_URL": "http://ours"} | ENGINES


def test_load_into_never_joins_a_real_database_with_our_owner(up_home: Home) -> None:
    environment.remember(up_home, ENGINES, given={})
    environ = {"DATABASE_URL": "postgresql://real/steward"}
    environment.load_into(environ)

    assert environ.pop(environment.EXPORTED)
    assert environ == {"DATABASE_URL": "postgresql://real/steward", "REDIS_URL": ENGINES["REDIS_URL"]}


def test_load_into_takes_nothing_into_production(up_home: Home) -> None:
    environment.remember(up_home, ENGINES, given={})
    environ = {"STEWARD_ENVIRONMENT": "production"}
    environment.load_into(environ)

    assert environ == {"STEWARD_ENVIRONMENT": "production"}


def test_exports_are_read_by_a_shell_as_they_were_meant() -> None:
    value = 'it\'s $HOME `id` "quoted" & more'
    lines = environment.as_exports({"STEWARD_TRIAL": value})
    told = subprocess.run(
        ["/bin/sh", "-c", f'{lines}printf %s "$STEWARD_TRIAL"'], capture_output=True, text=True, check=True
    )

    assert told.stdout == value


def test_env_nothing_runs_says_so_on_standard_error(
    up_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["env"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "make up" in told.err


def test_web_port_in_use_or_no_port_says_what_to_set() -> None:
    with pytest.raises(Trouble, match="number between 1 and 65535"):
        stack.wanted_web_port({"STEWARD_PORT": "http"})
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Trouble, match=rf"Port {port} is in use by .*STEWARD_PORT=\d+ make up"):
            stack.wanted_web_port({"STEWARD_PORT": str(port)})


def test_second_up_says_that_one_runs(up_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    lock = Hold(up_home.file(stack.LOCK_FILE))
    assert lock.claim()

    assert main(["up"]) == 1
    assert "running already" in capsys.readouterr().err
    lock.release()
