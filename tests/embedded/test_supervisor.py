"""The supervisor: prefixed lines, restarts, an ordered end that leaves nothing running."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.embedded import processes
from apps.embedded.state import REPOSITORY, Trouble
from apps.embedded.supervisor import WRONG_CONFIGURATION, Program, Stopped, Supervisor, spawn_command

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# A child of the child, as Celery's pool or granian's workers are.
WITH_A_CHILD = (
    "import subprocess, sys, time;"
    f"p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); print('pid', p.pid, flush=True); time.sleep(60)"
)


def program(
    name: str,
    script: str,
    *,
    stage: int = 1,
    ready: Callable[[], bool] = lambda: True,
    stop_seconds: float = 1,
) -> Program:
    command = [sys.executable, "-c", script]
    return Program(
        name, stage, lambda: spawn_command(command, dict(os.environ)), ready, stop_seconds=stop_seconds
    )


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't come about in time"
        time.sleep(0.02)


def watched(supervisor: Supervisor) -> threading.Thread:
    thread = threading.Thread(target=supervisor.watch, daemon=True)
    thread.start()
    return thread


def test_lines_of_children_stand_behind_their_names_without_colour_when_not_a_terminal() -> None:
    output = io.StringIO()
    supervisor = Supervisor(output)
    supervisor.start([program("alpha", "print('one'); print('two')", ready=lambda: "two" in output.getvalue())],
                     within_seconds=60)  # fmt: skip
    supervisor.stop()

    assert "alpha     | one\nalpha     | two\n" in output.getvalue()
    assert "\033[" not in output.getvalue()


def test_child_killed_is_started_again_and_said_so() -> None:
    output = io.StringIO()
    started: list[int] = []
    supervisor = Supervisor(output, on_start=lambda _name, pid: started.append(pid))
    supervisor.start([program("alpha", SLEEP)], within_seconds=60)
    thread = watched(supervisor)
    first = supervisor.pids()["alpha"]
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.pids().get("alpha", first) != first)
    supervisor.ask_to_stop()
    thread.join(5)
    supervisor.stop()

    assert "alpha was killed by SIGKILL; it is started again in 0.5 s" in output.getvalue()
    assert len(started) == 2
    assert all(processes.identify(pid) is None for pid in started)


def test_child_that_keeps_ending_before_it_is_ready_stops_the_start() -> None:
    supervisor = Supervisor(io.StringIO())

    with pytest.raises(Trouble, match="alpha ended 3 times before it was ready"):
        supervisor.start([program("alpha", "raise SystemExit(1)", ready=lambda: False)], within_seconds=60)
    supervisor.stop()


def test_child_that_says_its_configuration_is_wrong_is_not_started_again() -> None:
    started: list[int] = []
    supervisor = Supervisor(io.StringIO(), on_start=lambda _name, pid: started.append(pid))

    with pytest.raises(Trouble, match="as things are set"):
        supervisor.start(
            [program("alpha", f"raise SystemExit({WRONG_CONFIGURATION})", ready=lambda: False)],
            within_seconds=60,
        )
    supervisor.stop()
    assert len(started) == 1


def test_child_never_ready_is_named_when_the_time_is_over() -> None:
    supervisor = Supervisor(io.StringIO())

    with pytest.raises(Trouble, match=r"Not ready after 1 s: beta\."):
        supervisor.start(
            [program("alpha", SLEEP), program("beta", SLEEP, ready=lambda: False)], within_seconds=1
        )
    pids = list(supervisor.pids().values())
    supervisor.stop()
    assert len(pids) == 2
    assert all(processes.identify(pid) is None for pid in pids)


def test_stop_ends_the_last_stage_first(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    telling = (
        "import signal, sys, time\n"
        "def told(*_):\n"
        f"    open({str(notes)!r}, 'a').write(NAME + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, told)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    output = io.StringIO()
    supervisor = Supervisor(output)

    def noting(name: str, stage: int) -> Program:
        script = telling.replace("NAME", repr(name))
        is_up = f"{name:<9} | up"
        return program(name, script, stage=stage, ready=lambda: is_up in output.getvalue(), stop_seconds=60)

    supervisor.start([noting("database", 1), noting("cache", 2), noting("web", 3)], within_seconds=60)
    supervisor.stop()

    assert notes.read_text().split() == ["web", "cache", "database"]


def test_stop_kills_who_does_not_end_and_the_children_of_children() -> None:
    output = io.StringIO()
    supervisor = Supervisor(output)
    supervisor.start(
        [
            program("stubborn", STUBBORN, ready=lambda: "stubborn  | up" in output.getvalue()),
            program("parent", WITH_A_CHILD, ready=lambda: "parent    | up" in output.getvalue()),
        ],
        within_seconds=60,
    )
    grandchild = int(output.getvalue().partition("pid ")[2].split()[0])
    pids = [*supervisor.pids().values(), grandchild]
    supervisor.stop()

    assert "stubborn did not end: it is killed" in output.getvalue()
    until(lambda: all(processes.identify(pid) is None for pid in pids))


def test_step_is_passed_on_and_its_failure_named() -> None:
    output = io.StringIO()
    supervisor = Supervisor(output)
    environment = dict(os.environ)

    assert supervisor.run_to_end("seed", [sys.executable, "-c", "print('sown')"], environment) == "sown"
    assert "seed      | sown" in output.getvalue()
    with pytest.raises(Trouble, match="migrate failed with code 3"):
        supervisor.run_to_end("migrate", [sys.executable, "-c", "raise SystemExit(3)"], environment)


def test_step_under_way_ends_when_the_end_is_asked_for() -> None:
    supervisor = Supervisor(io.StringIO())
    threading.Timer(0.3, supervisor.ask_to_stop).start()
    began = time.monotonic()

    with pytest.raises(Stopped):
        supervisor.run_to_end("migrate", [sys.executable, "-c", SLEEP], dict(os.environ))
    assert time.monotonic() - began < 50


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_supervisor_told_by_a_signal_leaves_nothing_running(number: signal.Signals) -> None:
    script = f"""
import sys
from apps.embedded.supervisor import Program, Supervisor, spawn_command
import os
supervisor = Supervisor(sys.stdout, on_start=lambda name, pid: print("pid", pid, flush=True))
supervisor.heed_signals()
def program(name, script):
    command = [sys.executable, "-c", script]
    return Program(name, 1, lambda: spawn_command(command, dict(os.environ)), lambda: True, stop_seconds=1)
supervisor.start([program("alpha", {SLEEP!r}), program("beta", {WITH_A_CHILD!r})], within_seconds=60)
print("watching", flush=True)
supervisor.watch()
supervisor.stop()
print("gone", flush=True)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    seen: list[str] = []
    while "watching" not in "".join(seen) or "| up" not in "".join(seen):
        seen.append(parent.stdout.readline())
    os.kill(parent.pid, number)
    seen.append(parent.stdout.read())

    assert parent.wait(60) == 0
    pids = [int(line.rpartition("pid ")[2]) for line in "".join(seen).splitlines() if "pid " in line]
    assert len(pids) == 3
    until(lambda: all(processes.identify(pid) is None for pid in pids))
