"""Processes and ports: identity, ending, who is in the way."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from apps.embedded import keys, processes
from apps.embedded.state import Home, Trouble, home_of

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def test_identity_of_a_living_process_is_found_again_and_differs_from_an_older_one() -> None:
    own = processes.identify(os.getpid())

    assert own is not None
    assert processes.is_alive(own)
    assert not processes.is_alive(processes.Identity(own.pid, "another start"))


def test_identity_of_a_process_that_ended_but_was_not_reaped_is_none() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read()
    found = processes.identify(child.pid)

    assert found is None or processes.wait_until_gone(found, 5)
    assert processes.identify(child.pid) is None
    child.wait()


def test_end_of_a_process_that_ignores_the_signal_kills_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    found = processes.identify(child.pid)
    assert found is not None
    processes.end(found, seconds=0.2)

    assert child.wait(5) == -signal.SIGKILL


def test_port_in_use_is_not_free_and_the_next_one_is_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert not processes.is_free(port)
        assert processes.free_port(port) > port


@pytest.mark.skipif(not processes.HAS_PROC, reason="needs /proc")
def test_port_in_use_its_program_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert f"(process {os.getpid()})" in processes.who_listens(server.getsockname()[1])


def test_port_of_a_server_in_use_is_given_up_in_a_sentence_and_the_new_one_remembered(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    first = keys.choose_port(home, "postgres")
    with socket.create_server(("127.0.0.1", first)):
        second = keys.choose_port(home, "postgres")

    assert second != first
    assert f"port {first} is in use by" in capsys.readouterr().err
    assert keys.choose_port(home, "postgres") == second


def test_ports_of_two_servers_and_two_profiles_differ(home: Home) -> None:
    lasting = Home(home.root)
    found = [
        keys.choose_port(place, server) for place in (lasting, home) for server in ("postgres", "valkey")
    ]

    assert len(set(found)) == 4


def test_profile_that_is_not_a_plain_word_is_refused() -> None:
    with pytest.raises(Trouble, match="plain word"):
        home_of("../elsewhere")
