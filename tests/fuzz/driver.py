"""Schemathesis over a surface's own OpenAPI document: in this process, every case undone after it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection
from django.test import Client
from hypothesis import settings as hypothesis_settings
from schemathesis import Case, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.hypothesis.builder import SETTINGS_ATTRIBUTE_NAME
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import Surface
from tests.fuzz.checks import accepted
from tests.fuzz.exclusions import CHECKS
from tests.fuzz.known import Chance, refer, unreserved
from tests.surfaces.expectations import EXPECTATIONS
from tests.surfaces.places import Place
from tests.surfaces.samples import SAMPLES, Sample
from tests.surfaces.sending import known_document, undone

# However many boundaries there are.
_DRAWN = 20
# Every so-manyth success is asked for again without a credential, and with a wrong one.
_PROBED = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run generates.

    Attributes:
        examples: how many for each operation; those at the boundaries of its schema count too.
        seed: None: the same cases each time.
    """

    examples: int
    seed: int | None = None


@dataclass
class Run:
    """The cases of one route; `count` tells them by status, and in all under `cases`."""

    surface: Surface
    route: Route
    place: Place
    plan: Plan
    count: Counter[str] = field(default_factory=Counter)

    def all(self) -> None:
        """Examples, boundaries and drawn cases; after the first wrong answer the smallest request for it is raised."""
        schema = loaded(self.surface, self.plan)
        label = str(self.route).replace("...}", "}")
        operation = next(
            found.ok()
            for found in schema.get_all_operations()
            if isinstance(found, Ok) and found.ok().label == label
        )
        headers = headers_of(EXPECTATIONS[self.surface.name].mighty(self.route))
        # The version is for the cases to name.
        headers.pop("X-Api-Version", None)
        sample = SAMPLES[str(self.route)]
        test = build_operation_test(
            config=schema.config,
            operation=operation,
            test_func=lambda case: self.one(case, sample, headers),
            given_kwargs={},
            feedback=FeedbackSources(),
        )
        known = len(getattr(test, "hypothesis_explicit_examples", ()))
        drawn = hypothesis_settings(
            getattr(test, SETTINGS_ATTRIBUTE_NAME), max_examples=max(_DRAWN, self.plan.examples - known)
        )
        with connection_kept():
            drawn(test)()

    def one(self, case: Case[Any], sample: Sample, headers: dict[str, str]) -> None:
        """Sends one case and looks at the answer."""
        chance = Chance(case)
        refer(case, sample, self.place, chance)
        unreserved(case, sample, self.place)
        with undone():
            if sample.prepare is not None and chance.one_in(2, "prepared"):
                sample.prepare(self.place)
            response = case.call(headers=headers)
            self.count["cases"] += 1
            self.count[str(response.status_code)] += 1
            self.check(case, response, headers, probe=chance.one_in(_PROBED, "probed"))

    def check(self, case: Case[Any], response: Response, headers: dict[str, str], *, probe: bool) -> None:
        """Raises FailureGroup: what is wrong with the answer."""
        case.validate_response(
            response,
            additional_checks=[accepted],
            excluded_checks=[positive_data_acceptance, *([] if probe else [ignored_auth])],
            headers=headers,
            transport_kwargs={"headers": headers},
        )


def loaded(surface: Surface, plan: Plan) -> BaseSchema:
    """The surface's document, served by this process's WSGI application."""
    config: dict[str, Any] = {
        "generation": {
            "deterministic": plan.seed is None,
            "max-examples": plan.examples,
            "database": "none",
            "with-security-parameters": False,
            "allow-x00": False,
        },
        "suppress-health-check": ["all"],
        "checks": CHECKS,
        "warnings": False,
        **({} if plan.seed is None else {"seed": plan.seed}),
    }
    schema = schemathesis.openapi.from_dict(
        deepcopy(known_document(surface)), config=SchemathesisConfig.from_dict(config)
    )
    schema.app = served
    return schema


def served(environ: dict[str, Any], start_response: Any) -> Any:
    """The WSGI application, to a caller from this machine (as its server would say)."""
    environ.setdefault("REMOTE_ADDR", "127.0.0.1")
    return _APPLICATION(environ, start_response)


_APPLICATION = get_wsgi_application()


def headers_of(client: Client) -> dict[str, str]:
    """What a test client sends on every request."""
    return {
        name.removeprefix("HTTP_").replace("_", "-").title(): str(value)
        for name, value in client.defaults.items()
        if name.startswith("HTTP_")
    }


@contextmanager
def connection_kept() -> Iterator[None]:
    """A request leaves the test's connection open, and the test's transaction with it (as in django.test.Client).

    PostgreSQL does not end it either while cases are made up.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
