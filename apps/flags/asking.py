"""What is asked of the internal routes: for whom, and in which context."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.errors import Invalid
from apps.flags.engine import Context
from apps.flags.shapes import canonical_tenant_id
from apps.surfaces.kit.inputs import single

TENANT = "tenantId"
_MISSING = "This parameter is required."
_NO_ID = "A tenant's id is written tnt_ and 26 characters."


@dataclass(frozen=True, slots=True)
class Question:
    """`tenant_id` as the snapshot knows it; all that was sent beside it is context."""

    tenant_id: str
    context: Context


def question(pairs: Sequence[tuple[str, str]]) -> Question:
    """Of the pairs of a query string.

    Raises:
        Invalid: without a tenant's id, or a parameter stands twice.
    """
    context = single(list(pairs))
    named = context.pop(TENANT, None)
    if named is None:
        raise Invalid(details={TENANT: [_MISSING]})
    tenant_id = canonical_tenant_id(named)
    if tenant_id is None:
        raise Invalid(details={TENANT: [_NO_ID]})
    return Question(tenant_id, context)
