"""The variables that the application reads, as the embedded stack sets them; `config/env.py` explains each."""

import hashlib
import os
import shlex
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from apps.embedded.state import Home, home_of, read_json, write_json

RECORD_FILE = "environment.json"
# Beside the exports of `make env`: which of them name embedded engines, by a digest of each value.
EXPORTED = "STEWARD_EXPORTED"

# One without the other would mix two installations: they are taken together or not at all.
BELONG_TOGETHER = (
    ("DATABASE_URL", "DATABASE_OWNER_URL"),
    ("STEWARD_ADMIN_KEY", "ADMIN_KEYS"),
    ("STEWARD_URL", "PUBLIC_URL"),
    ("EMAIL_URL", "STEWARD_MAILBOX_URL"),
)


@dataclass(frozen=True)
class Ports:
    """Where a stack is reached."""

    web: int
    stream: int
    smtp: int
    mailbox: int


def application_environment(
    given: Mapping[str, str], secrets: Mapping[str, str], engines: Mapping[str, str], *, ports: Ports | None
) -> dict[str, str]:
    """What the application's processes get: what was given wins, the rest is ours.

    Without ports (a test run) nothing serves and no mail is caught.
    """
    own = {name: secrets[name] for name in ("SECRET_KEY", "STEWARD_MASTER_KEYS", "STEWARD_KEY_PEPPER")}
    admin_key = secrets["STEWARD_ADMIN_KEY"]
    if given.get("ADMIN_KEYS"):
        admin_key = given["ADMIN_KEYS"].partition(",")[0].partition(":")[2].strip()
    own |= {"ADMIN_KEYS": f"embedded:{admin_key}", "STEWARD_ADMIN_KEY": admin_key}
    own["STEWARD_ENVIRONMENT"] = "test" if ports is None else "development"
    if ports is not None:
        own |= {
            "PUBLIC_URL": f"http://127.0.0.1:{ports.web}",
            "STEWARD_STREAM_URL": f"http://127.0.0.1:{ports.stream}",
            "LOG_FORMAT": "console",
        }
        if not given.get("EMAIL_URL"):
            own |= {
                "EMAIL_URL": f"smtp://127.0.0.1:{ports.smtp}",
                "STEWARD_MAILBOX_URL": f"http://127.0.0.1:{ports.mailbox}",
            }
    wanted = own | dict(engines)
    result = wanted | {
        name: given[name] for name in wanted if given.get(name) and name != "STEWARD_ADMIN_KEY"
    }
    if ports is not None:
        result["STEWARD_URL"] = f"http://127.0.0.1:{ports.web}"
    return result


def own_parts(ports: Ports, *, mailbox: bool) -> list[str]:
    """Our parts that answer HTTP, as `name=url`: the sources of health that a trial begins with."""
    parts = {"steward-web": f"{ports.web}/readyz", "steward-stream": f"{ports.stream}/healthz"}
    if mailbox:
        parts["mailbox"] = f"{ports.mailbox}/messages"
    return [f"{name}=http://127.0.0.1:{rest}" for name, rest in parts.items()]


def without_ours(given: Mapping[str, str]) -> dict[str, str]:
    """An environment without what `make env` put there: what is left, somebody chose.

    Otherwise a shell in which `eval "$(make -s env)"` was run would take embedded engines for real ones.
    """
    marks = {mark for mark in given.get(EXPORTED, "").split() if mark}
    kept = {name: value for name, value in given.items() if _mark(name, value) not in marks}
    kept.pop(EXPORTED, None)
    return kept


def _mark(name: str, value: str) -> str:
    return f"{name}:{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def remember(home: Home, variables: Mapping[str, str], *, given: Mapping[str, str]) -> None:
    """Keep what the running stack was started with; what is ours, rather than given, is marked as such."""
    ours = [_mark(name, value) for name, value in variables.items() if given.get(name) != value]
    marked = dict(variables) | {EXPORTED: " ".join(ours)}
    write_json(home.file(RECORD_FILE), {"variables": marked, "supervisor": os.getpid()})


def supervisor_that_is_ready(home: Home) -> int | None:
    """The process number of the supervisor whose stack got ready last, whether it still runs or not."""
    number = read_json(home.file(RECORD_FILE)).get("supervisor")
    return int(number) if number else None


def remembered(home: Home) -> dict[str, str]:
    """What the stack was last started with."""
    found: dict[str, Any] = read_json(home.file(RECORD_FILE)).get("variables", {})
    return {name: str(value) for name, value in found.items()}


def load_into(environ: MutableMapping[str, str]) -> None:
    """Fill in what is missing from the stack of `make up`, so that `manage.py` by hand speaks to it.

    What is set stays. Nothing is taken where the environment says that it is production's.
    """
    if environ.get("STEWARD_ENVIRONMENT") == "production":
        return
    ours = remembered(home_of("up"))
    for group in BELONG_TOGETHER:
        if any(environ.get(name, ours.get(name)) != ours.get(name) for name in group):
            for name in group:
                ours.pop(name, None)
    for name, value in ours.items():
        environ.setdefault(name, value)


def as_exports(variables: Mapping[str, str]) -> str:
    """Variables as lines that a shell evaluates."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))
