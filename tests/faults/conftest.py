"""One world for all fault tests of a session, and a table of what they measured at the end."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.clients import Load
from tests.faults.world import World

_MEASURED = "fault"
Measured = Callable[[str, str], None]


@pytest.fixture(scope="session")
def made_world() -> Iterator[World]:
    made = World()
    try:
        made.prepare()
        yield made
    finally:
        made.close()


@pytest.fixture
def world(made_world: World) -> Iterator[World]:
    """The engines run; web starts anew for each test, since each may reach them another way."""
    yield made_world
    made_world.end("web")


@pytest.fixture
def load(world: World) -> Load:
    """Clients of a web that is not killed: a broken connection is an odd answer."""
    return Load(world.web_port, world.token, web_dies=False)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """Puts a line into the table at the end: what was done, what was seen."""
    return lambda what, seen: record_property(_MEASURED, (what, seen))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == _MEASURED and report.when == "call"
    ]
    if rows:
        terminalreporter.section("faults")
        width = max(len(what) for what, _ in rows)
        for what, seen in rows:
            terminalreporter.line(f"{what:<{width}}  {seen}")
