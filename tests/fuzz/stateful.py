"""Scenarios along the links of a document: what is made is read, changed and archived after it."""

from collections import Counter
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis import Case, Response
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from apps.surfaces.kit.documents import routes_of
from apps.surfaces.kit.surface import Surface
from tests.fuzz.checks import accepted
from tests.fuzz.driver import Plan, connection_kept, headers_of, loaded
from tests.fuzz.known import Chance, refer, unreserved
from tests.surfaces.expectations import EXPECTATIONS
from tests.surfaces.places import Place
from tests.surfaces.samples import SAMPLES
from tests.surfaces.sending import known_document

_STEPS = 6


def linked(surface: Surface) -> dict[str, set[str]]:
    """The operations that have links, and those that links lead to, by operation id."""
    found: dict[str, set[str]] = {}
    for path in known_document(surface)["paths"].values():
        for operation in path.values():
            targets = {name for answer in operation["responses"].values() for name in answer.get("links", {})}
            if targets:
                found[operation["operationId"]] = targets
    return found


def scenarios(surface: Surface, place: Place, plan: Plan) -> Counter[str]:
    """Runs `plan.examples` scenarios for each operation that leads somewhere; answers the operations that a link led
    to and that succeeded.

    Raises:
        FailureGroup: an answer that the document does not know, or that the steps before contradict.
    """
    return sum((_from(origin, surface, place, plan) for origin in linked(surface)), Counter())


def _from(origin: str, surface: Surface, place: Place, plan: Plan) -> Counter[str]:
    targets = linked(surface)[origin]
    schema = loaded(surface, plan).include(operation_id=[origin, *targets])
    door = {str(route).replace("...}", "}"): route for route in routes_of(surface.name)}
    headers = {label: headers_of(EXPECTATIONS[surface.name].mighty(route)) for label, route in door.items()}
    followed: Counter[str] = Counter()

    class Scenario(schema.as_state_machine()):  # type: ignore[misc]  # a class made at run time
        def setup(self) -> None:
            self.point = transaction.savepoint()

        def teardown(self) -> None:
            transaction.savepoint_rollback(self.point)
            super().teardown()

        def before_call(self, case: Case[Any]) -> None:
            path, sample = dict(case.path_parameters), SAMPLES[str(door[case.operation.label])]
            refer(case, sample, place, Chance(case), always=True)
            # The steps before say which.
            case.path_parameters.update(path)
            unreserved(case, sample, place)
            # What is only tried leads nowhere.
            case.query.pop("validate_only", None)

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"headers": headers[case.operation.label]}

        def validate_response(self, response: Response, case: Case[Any], **kwargs: Any) -> None:
            name = case.operation.definition.raw["operationId"]
            if name in targets and response.status_code < 300:
                followed[name] += 1
            case.validate_response(
                response,
                additional_checks=[accepted],
                excluded_checks=[positive_data_acceptance, ignored_auth],
                headers=kwargs.get("headers"),
                transport_kwargs=kwargs,
                recorder=getattr(self, "recorder", None),
            )

    with connection_kept():
        Scenario.run(settings=_settings(plan))
    return followed


def _settings(plan: Plan) -> hypothesis_settings:
    return hypothesis_settings(
        max_examples=plan.examples,
        stateful_step_count=_STEPS,
        derandomize=plan.seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
