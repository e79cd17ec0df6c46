"""deploy/kong.yaml against the URL tables. No Kong is among the packages: what can be held without one is held here."""

import re
from typing import Any

import pytest
import re2
import yaml

from apps.surfaces.compatibility import successor_of
from apps.surfaces.kit.documents import routes_of
from apps.surfaces.kit.surface import surfaces
from config.env import Environment
from tests.deploy.servers import ROOT

FILE = yaml.safe_load((ROOT / "deploy" / "kong.yaml").read_text())
ROUTES: dict[str, dict[str, Any]] = {
    route["name"]: {**route, "service": service["name"]}
    for service in FILE["services"]
    for route in service["routes"]
}


def matching(path: str, method: str = "GET") -> list[str]:
    """Names of the routes that take a request. Kong anchors a regular expression at the start of the path, and looks at
    prefixes only where none of them fits."""
    fitting = [
        (name, each)
        for name, route in ROUTES.items()
        if method in route.get("methods", [method])
        for each in route["paths"]
    ]
    by_expression = {name for name, each in fitting if each[0] == "~" and re2.match(each[1:], path)}
    return sorted(
        by_expression or {name for name, each in fitting if each[0] != "~" and path.startswith(each)}
    )


@pytest.mark.parametrize("surface", [surface.name for surface in surfaces()])
def test_every_route_goes_through_exactly_one_of_the_gateway_s(surface: str) -> None:
    for route in routes_of(surface):
        path = re.sub(r"\{[^}]+\}", "x", route.path)
        expected = 1
        assert len(matching(path, route.method)) == expected, (route.path, matching(path, route.method))


def test_every_expression_is_one_of_kong_s_router() -> None:
    """It is written in Rust; what its expressions are is what RE2 knows: no look-around, no back-references."""
    for route in ROUTES.values():
        for path in route["paths"]:
            if path.startswith("~"):
                re2.compile(path[1:])


def test_what_is_internal_never_leaves() -> None:
    for path in ("/internal", "/internal/admin/flags/stream", "/internal/keys/verify"):
        assert matching(path) == ["internal"]
    (plugin,) = ROUTES["internal"]["plugins"]
    assert (plugin["name"], plugin["config"]["status_code"]) == ("request-termination", 404)


def test_former_addresses_are_rewritten_as_steward_does_it() -> None:
    (path,) = ROUTES["former-addresses"]["paths"]
    (plugin,) = ROUTES["former-addresses"]["plugins"]
    written = plugin["config"]["replace"]["uri"]
    for former in (
        "/api/platform/flags",
        "/api/platform/flags/a/history",
        "/api/platform/health/aggregate",
        "/api/platform/platform-config/x/history",
        "/api/platform/vault/status",
        "/api/platform/secrets",
        "/api/platform/flagship",
    ):
        found = re2.match(path.removeprefix("~"), former)
        rewritten = written.replace("$(uri_captures['rest'])", found["rest"]) if found else None
        assert rewritten == successor_of(former)


def test_the_gateway_counts_where_docker_compose_has_a_valkey() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for route in ROUTES.values():
        for plugin in route.get("plugins", []):
            if plugin["name"] == "rate-limiting":
                store = plugin["config"]["redis"]
                assert store["host"] in services
                assert store["password"] == "{vault://env/valkey-password}"


def test_the_gateway_s_limits_are_steward_s() -> None:
    limits = {
        name: plugin["config"]["minute"]
        for name, route in ROUTES.items()
        for plugin in route.get("plugins", [])
        if plugin["name"] == "rate-limiting"
    }
    fields = Environment.model_fields
    assert limits == {
        "service-writes": fields["RATE_LIMIT_SERVICE_WRITE"].default,
        "ofrep": fields["RATE_LIMIT_OFREP"].default,
    }
