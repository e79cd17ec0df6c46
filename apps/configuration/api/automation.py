"""Platform settings on the surface `automation`: two keys of the catalogue (contracts/automation.md)."""

from typing import Any

from rest_framework import serializers

from apps.configuration import selectors, services
from apps.configuration.enums import ValueScope
from apps.configuration.knobs import GOVERNANCE_PARALLEL_LIMIT, GOVERNANCE_SCAN_MODE
from apps.core.errors import Conflict, Invalid
from apps.core.knobs import Knob, ValueWrong
from apps.core.principal import Principal
from apps.surfaces import automation
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Choice, Whole
from apps.surfaces.kit.inputs import Body

_KNOBS: tuple[Knob[Any], ...] = (GOVERNANCE_SCAN_MODE, GOVERNANCE_PARALLEL_LIMIT)
_MODES = GOVERNANCE_SCAN_MODE.shape.choices
_NOTHING = "Send governance_scan_mode, governance_parallel_limit, or both."
_EXAMPLE = {"governance_scan_mode": "parallel", "governance_parallel_limit": 5}


class SettingsBody(Body):
    """Either or both."""

    fewest = 1

    governance_scan_mode = Choice(_MODES, required=False)
    governance_parallel_limit = Whole(min_value=1, max_value=20, required=False)


class Settings(serializers.Serializer[Any]):
    governance_scan_mode = serializers.ChoiceField(choices=_MODES)
    governance_parallel_limit = serializers.IntegerField(min_value=1, max_value=20)


class PlatformSettings(automation.ViewSet):
    """How governance scans run."""

    tag = "Platform settings"

    @reads(permission=automation.KEY, throttle="automation", answer=Settings, refusals=[], example=_EXAMPLE)
    def retrieve(self, call: Call) -> Answer:
        """The settings in force."""
        return Answer(_stored(call.actor))

    @changes(
        permission=automation.KEY,
        throttle="automation",
        body=SettingsBody,
        answer=Settings,
        target="configuration",
        refusals=[Conflict],
        example=_EXAMPLE,
        body_example={"governance_scan_mode": "parallel"},
    )
    def update(self, call: Call) -> Answer:
        """Sets one or both; in force everywhere within 2 s.

        The same keys can be set on the surface `service` and in the back office.
        """
        if not call.body:
            raise Invalid(_NOTHING, details={"body": [_NOTHING]})
        services.set_values(actor=call.actor, values={key: str(value) for key, value in call.body.items()})
        return Answer(_stored(call.actor))


def _stored(actor: Principal) -> dict[str, Any]:
    """What stands in the database: whoever has set a value reads it back at once, from whatever process."""
    rows = selectors.list_values(actor, scope=ValueScope.PLATFORM, key_prefix="governance_")
    texts = {row.key: row.value or "" for row in rows}
    return {knob.name: _value(knob, texts.get(knob.name)) for knob in _KNOBS}


def _value(knob: Knob[Any], text: str | None) -> Any:
    """The typed value; the default where none is set, or where it no longer fits, as everywhere."""
    try:
        return knob.standard() if text is None else knob.shape.parse(text)
    except ValueWrong:
        return knob.standard()
