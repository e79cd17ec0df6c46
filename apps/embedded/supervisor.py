"""One parent for all processes of a stack: prefixed logs, restarts with a growing pause, an ordered end.

Every child leads a session of its own: a terminal's Ctrl-C reaches only the supervisor, which then ends the
children in the reverse order of their stages, and kills what is left of a child's group once it is gone.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import TextIO

from apps.embedded import processes
from apps.embedded.state import REPOSITORY, Trouble

COLOURS = ("36", "35", "33", "32", "34", "95", "96", "93", "92")
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30.0
# Who can't be asked and doesn't say that it is ready counts as ready once it has lived this long.
QUIET_START_SECONDS = 8.0
CRASHES_BEFORE_READY = 3
# A process that ends with this can't be helped by starting it again (sysexits: EX_CONFIG).
WRONG_CONFIGURATION = 78


@dataclass(frozen=True)
class Program:
    """What runs: how it is started, when it counts as ready, how it is ended, and its place in the order.

    Programs of one stage are started together and ended together, the last stage first. Ready is who answers
    `is_ready` with true, or has written a line with `ready_line` in it; who does neither, after a while alive.
    """

    name: str
    stage: int
    spawn: Callable[[], subprocess.Popen[bytes]]
    is_ready: Callable[[], bool] | None = None
    ready_line: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0


@dataclass
class Child:
    """A program and the process that it runs in at the moment."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float | None = None
    crashes: int = 0
    was_ready: bool = False
    said_ready: bool = False
    readers: list[threading.Thread] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.poll() is None else None


def _listen(child: Child, line: str) -> None:
    if child.program.ready_line and child.program.ready_line in line:
        child.said_ready = True


class Stopped(Exception):
    """Somebody asked for the end while something was being waited for."""


class Supervisor:
    """Starts programs, keeps them running, ends them.

    `on_start` is told each new process, so that a later start can find what a killed supervisor left behind.
    """

    def __init__(self, output: TextIO, *, on_start: Callable[[str, int], None] | None = None) -> None:
        self._output = output
        self._colour = output.isatty() and "NO_COLOR" not in os.environ
        self._on_start = on_start
        self._children: list[Child] = []
        self._writing = threading.Lock()
        self._asked = 0
        self._width = 9

    # --- what is said ---

    def say(self, text: str) -> None:
        """A line of our own."""
        self._write("steward", text, "1")

    def _write(self, name: str, text: str, colour: str) -> None:
        head = f"{name:<{self._width}} |"
        if self._colour:
            head = f"\033[{colour}m{head}\033[0m"
        with self._writing:
            try:
                self._output.write(f"{head} {text}\n")
                self._output.flush()
            except OSError:
                # Nobody reads any more (a closed pipe or terminal): the stack runs on.
                return

    def follow(
        self, name: str, process: subprocess.Popen[bytes], *, heard: Callable[[str], None]
    ) -> threading.Thread:
        """Pass on what a process writes, also to `heard`, until it closes its output."""
        colour = COLOURS[sum(name.encode()) % len(COLOURS)]
        thread = threading.Thread(
            target=self._pass_on, args=(name, process, colour, heard), daemon=True, name=f"log-{name}"
        )
        thread.start()
        return thread

    def _pass_on(
        self, name: str, process: subprocess.Popen[bytes], colour: str, heard: Callable[[str], None]
    ) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                heard(text)
                self._write(name, text, colour)

    # --- being told ---

    def heed_signals(self) -> None:
        """End in order on Ctrl-C, SIGTERM and a closed terminal; at once when told a second time."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._told)

    def _told(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.ask_to_stop()

    def ask_to_stop(self) -> None:
        """Ask for the end; the main loop sees it within a quarter of a second. Takes no lock: a signal may call it."""
        self._asked += 1

    @property
    def is_asked_to_stop(self) -> bool:
        return self._asked > 0

    # --- running ---

    def start(self, programs: list[Program], *, within_seconds: float) -> None:
        """Start programs together and wait until each is ready.

        Raises:
            Trouble: one keeps ending, or isn't ready in time.
            Stopped: the end was asked for meanwhile.
        """
        children = [Child(program) for program in programs]
        for child in children:
            self._children.append(child)
            self._spawn(child)
        deadline = time.monotonic() + within_seconds
        while True:
            waiting = [child for child in children if not self._became_ready(child)]
            if not waiting:
                return
            self._pause(0.05)
            self._look_after(children)
            if time.monotonic() > deadline:
                names = ", ".join(child.program.name for child in waiting)
                raise Trouble(f"Not ready after {within_seconds:.0f} s: {names}. What it wrote stands above.")

    def _became_ready(self, child: Child) -> bool:
        if not child.was_ready and child.pid is not None:
            quiet = time.monotonic() - child.started_at > QUIET_START_SECONDS
            asked = child.program.is_ready
            child.was_ready = asked() if asked is not None else child.said_ready or quiet
        return child.was_ready

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds)
        if self._asked:
            raise Stopped

    def watch(self) -> None:
        """Keep everything running until the end is asked for."""
        try:
            while True:
                self._pause(0.25)
                self._look_after(self._children)
        except Stopped:
            return

    def _look_after(self, children: list[Child]) -> None:
        now = time.monotonic()
        for child in children:
            if child.restart_at is not None:
                if now >= child.restart_at:
                    self._spawn(child)
            elif child.process is not None and child.process.poll() is not None:
                self._mourn(child, child.process, now)

    def _mourn(self, child: Child, process: subprocess.Popen[bytes], now: float) -> None:
        processes.kill_group(process.pid)
        name, code = child.program.name, process.returncode
        if code == WRONG_CONFIGURATION:
            raise Trouble(f"{name} can't start as things are set: what it wrote stands above.")
        child.crashes = 1 if now - child.started_at > STEADY_SECONDS else child.crashes + 1
        if not child.was_ready and child.crashes >= CRASHES_BEFORE_READY:
            raise Trouble(
                f"{name} ended {child.crashes} times before it was ready: what it wrote stands above."
            )
        pause = min(FIRST_PAUSE * 2 ** (child.crashes - 1), LONGEST_PAUSE)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self.say(f"{name} {how}; it is started again in {pause:g} s")
        child.restart_at = now + pause

    def _spawn(self, child: Child) -> None:
        child.restart_at = None
        child.started_at = time.monotonic()
        try:
            child.process = child.program.spawn()
        except (OSError, Trouble) as refused:
            self.say(f"{child.program.name} could not be started: {refused}")
            child.crashes += 1
            if child.crashes >= CRASHES_BEFORE_READY and not child.was_ready:
                raise Trouble(f"{child.program.name} could not be started: {refused}") from refused
            child.restart_at = child.started_at + min(FIRST_PAUSE * 2**child.crashes, LONGEST_PAUSE)
            return
        if self._on_start is not None:
            self._on_start(child.program.name, child.process.pid)
        child.readers = [self.follow(child.program.name, child.process, heard=partial(_listen, child))]

    def run_to_end(self, name: str, command: list[str], environment: dict[str, str]) -> str:
        """Run one step of a start and return what it wrote.

        Raises:
            Trouble: it ended with another code than 0.
            Stopped: the end was asked for meanwhile; the step is ended too.
        """
        written: list[str] = []
        process = spawn_command(command, environment)
        if self._on_start is not None:
            self._on_start(name, process.pid)
        reader = self.follow(name, process, heard=written.append)
        try:
            while process.poll() is None:
                self._pause(0.05)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            processes.kill_group(process.pid)
            reader.join(2)
        if process.returncode != 0:
            raise Trouble(f"{name} failed with code {process.returncode}: what it wrote stands above.")
        return "\n".join(written)

    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        return {child.program.name: child.pid for child in self._children if child.pid is not None}

    # --- the end ---

    def stop(self) -> None:
        """End everything: the last stage first, each stage together; nothing is left running."""
        asked = self._asked
        for stage in sorted({child.program.stage for child in self._children}, reverse=True):
            together = [child for child in self._children if child.program.stage == stage]
            self._stop_together(together, asked)
        for child in self._children:
            for reader in child.readers:
                reader.join(1)
        self._children.clear()

    def _stop_together(self, children: list[Child], asked: int) -> None:
        alive = [child for child in children if child.pid is not None]
        if alive:
            self.say("stopping " + ", ".join(child.program.name for child in alive))
        for child in alive:
            if child.process is not None:
                child.process.send_signal(child.program.stop_signal)
        patience = max((child.program.stop_seconds for child in alive), default=0.0)
        deadline = time.monotonic() + patience
        while any(child.pid is not None for child in alive):
            if time.monotonic() > deadline or self._asked > max(asked, 1):
                break
            time.sleep(0.02)
        for child in children:
            if child.process is None:
                continue
            if child.pid is not None:
                self.say(f"{child.program.name} did not end: it is killed")
            processes.kill_group(child.process.pid)
            child.process.wait()


def spawn_command(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a command of ours as a child that leads its own session and writes into a pipe."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=REPOSITORY,
        start_new_session=True,
    )
