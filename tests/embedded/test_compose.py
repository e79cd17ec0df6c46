"""The compose file says the same as the application reads and `make up` starts."""

from typing import Any

import pytest
import yaml

from apps.embedded.state import REPOSITORY
from config.env import Environment

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
OURS = ("migrate", "web", "stream", "worker", "scheduler", "rq")


@pytest.mark.parametrize("service", OURS)
def test_compose_variables_are_declared_ones_and_none_that_must_be_set_is_missing(service: str) -> None:
    given = set(COMPOSE["services"][service]["environment"])

    assert given <= set(Environment.model_fields)
    assert {name for name, field in Environment.model_fields.items() if field.is_required()} <= given


def test_compose_only_the_migrating_container_knows_the_owner() -> None:
    owners = [name for name in OURS if "DATABASE_OWNER_URL" in COMPOSE["services"][name]["environment"]]

    assert owners == ["migrate"]


def test_compose_publishes_nothing_beyond_this_machine() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
