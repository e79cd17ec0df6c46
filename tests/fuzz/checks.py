"""What every answer of the fuzz run must be, beside Schemathesis' own checks."""

from typing import Any

from schemathesis import Case, CheckContext, Response
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.fuzz.exclusions import JUDGED

load_all_checks()

_OFREP = {"PARSE_ERROR": "body", "INVALID_CONTEXT": "context"}


def accepted(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """A request in the words of the document is taken; where it is not, only judged fields are blamed."""
    if response.status_code == 400:
        blamed = fields_blamed(response.json())
        judged = {**JUDGED["*"], **JUDGED.get(case.operation.label, {})}
        if blamed and {name.partition(".")[0] for name in blamed} <= judged.keys():
            return None
    return positive_data_acceptance(ctx, response, case)


def fields_blamed(refusal: Any) -> set[str]:
    """The fields that a 400 names, in whichever surface's shape."""
    if not isinstance(refusal, dict):
        return set()
    if "errorCode" in refusal:  # OFREP blames by its code
        return {_OFREP.get(str(refusal["errorCode"]), "")}
    error = refusal.get("error")
    found = error.get("details") if isinstance(error, dict) else refusal.get("errors")
    return set(found) if isinstance(found, dict) else set()
