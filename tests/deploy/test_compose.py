"""docker-compose.yml says the same as the application reads, `make up` starts and the image holds."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.embedded.stack import STREAM_THREADS, WORKER_OPTIONS, granian
from config.env import Environment
from tests.core import processes
from tests.deploy.dockerfile import instructions
from tests.deploy.servers import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "stream", "worker", "scheduler", "rq")
LONG_LIVED = sorted(set(SERVICES) - {"migrate"})
# Read by a library, not by us.
OF_LIBRARIES = {"PROMETHEUS_MULTIPROC_DIR"}


@pytest.mark.parametrize("service", OURS)
def test_compose_variables_are_declared_ones_and_none_that_must_be_set_is_missing(service: str) -> None:
    given = set(SERVICES[service]["environment"])

    assert given - OF_LIBRARIES <= set(Environment.model_fields)
    assert {name for name, field in Environment.model_fields.items() if field.is_required()} <= given


def test_compose_only_the_migrating_container_knows_the_owner() -> None:
    owners = [name for name in OURS if "DATABASE_OWNER_URL" in SERVICES[name]["environment"]]

    assert owners == ["migrate"]


def test_compose_publishes_nothing_beyond_this_machine_of_itself() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published
    assert all(re.match(r"(\$\{PUBLISH:-)?127\.0\.0\.1:", port) for port in published)


@pytest.mark.parametrize("service", SERVICES)
def test_compose_containers_may_write_nothing_and_become_nobody(service: str) -> None:
    found = SERVICES[service]

    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert found["restart"] == ("no" if service == "migrate" else "unless-stopped")


@pytest.mark.parametrize("service", sorted(set(LONG_LIVED) - {"scheduler", "web", "stream", "mail"}))
def test_compose_long_lived_services_have_a_health_check_of_their_own(service: str) -> None:
    assert "test" in SERVICES[service]["healthcheck"]


def test_compose_engines_have_no_way_out_and_nginx_none_to_them() -> None:
    assert COMPOSE["networks"]["data"]["internal"] is True
    assert [SERVICES[name]["networks"] for name in ("postgres", "valkey")] == [["data"], ["data"]]
    assert SERVICES["nginx"]["networks"] == ["edge"]
    subnet = COMPOSE["networks"]["edge"]["ipam"]["config"][0]["subnet"]
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"] == subnet


def test_compose_keeps_objects_apart_from_the_database() -> None:
    volumes = {name: service.get("volumes", []) for name, service in SERVICES.items()}

    assert "postgres:/var/lib/postgresql/data" in volumes["postgres"]
    assert not any(volume.startswith("objects:") for volume in volumes["postgres"])
    folder = SERVICES["web"]["environment"]["OBJECT_STORE_ROOT"]
    assert all(f"objects:{folder}" in volumes[name] for name in OURS)


def test_compose_keeps_the_last_flags_for_a_container_that_starts_without_the_database() -> None:
    file = Path(SERVICES["web"]["environment"]["FLAGS_SNAPSHOT_FILE"])

    assert all(f"flags:{file.parent}" in SERVICES[name]["volumes"] for name in OURS)
    assert str(file.parent) in (ROOT / "Dockerfile").read_text()


def test_compose_waits_for_what_each_service_needs() -> None:
    for name in ("web", "stream", "worker", "scheduler", "rq"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for name in OURS:
        for needed, how in SERVICES[name]["depends_on"].items():
            assert (
                how["condition"] == "service_completed_successfully"
                or "test" in SERVICES[needed]["healthcheck"]
            )


def test_compose_variables_are_explained_in_the_example_and_nothing_else_is() -> None:
    example = (ROOT / "deploy" / ".env.example").read_text()
    explained = re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)

    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    assert sorted(explained) == sorted(used | {"COMPOSE_PROFILES"})


def test_the_script_that_writes_the_variables_writes_every_required_one() -> None:
    required = set(re.findall(r"(?<!\$)\$\{([A-Z_]+):\?", TEXT))
    script = (ROOT / "scripts" / "compose_environment.py").read_text()

    assert required == set(re.findall(r'"([A-Z_]+)":', script)) - {"COMPOSE_PROFILES"}


def test_compose_stream_is_the_server_of_make_up() -> None:
    command = SERVICES["stream"]["command"]

    assert _options(command) == _options(granian(8000, workers=1, threads=STREAM_THREADS)[2:]) | {
        "--host": "0.0.0.0",  # noqa: S104  in a container
        "--backlog": "1024",
    }
    assert (
        _options(command).keys() == _options(next(i.words for i in instructions() if i.name == "CMD")).keys()
    )


def test_compose_worker_is_the_worker_of_make_up() -> None:
    assert set(WORKER_OPTIONS) <= set(SERVICES["worker"]["command"])


def _options(line: list[str]) -> dict[str, str]:
    """`--name value` and `--flag` of a command line."""
    found: dict[str, str] = {}
    for place, word in enumerate(line):
        if word.startswith("--"):
            value = line[place + 1] if place + 1 < len(line) else ""
            found[word] = "" if value.startswith("--") else value
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("service", "sign"),
    [
        ("scheduler", "is starting"),
        ("worker", " ready."),
        ("rq", "Listening on"),
        ("migrate", "No migrations"),
    ],
)
def test_compose_commands_start_as_they_are_written(service: str, sign: str) -> None:
    """Those of `web` and `stream` are started behind nginx and by the test of the image."""
    command = [*SERVICES[service]["command"]]
    command[0] = f"{sys.prefix}/bin/{command[0]}"
    owner = {"DATABASE_OWNER_URL": processes.owner_url()} if service == "migrate" else {}
    # As in the image: what is printed comes at once.
    running = processes.command(command, LOG_LEVEL="INFO", PYTHONUNBUFFERED="1", **owner)
    assert running.stdout is not None
    try:
        said = ""
        for line in running.stdout:
            said += line
            if sign in line:
                break
        assert sign in said
    finally:
        running.terminate()
        try:
            running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        running.stdout.close()
