"""How lists of people are ordered."""

from apps.core.access import masked
from apps.core.errors import Invalid
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.ordering import Ordering


class UserOrdering(Ordering):
    """Whoever reads e-mail addresses masked can't order by them: the order would tell."""

    def refuse_hidden(self, call: Call) -> None:
        """Raises Invalid."""
        chosen = call.asked.chosen if call.asked else ""
        if chosen.removeprefix("-") == "email" and masked(call.actor, "users.read"):
            raise Invalid(
                details={"ordering": ["Your role reads e-mail addresses masked and can't order by them."]}
            )
