"""What is sent to routes of flags. The rules themselves are the engine's (apps.flags.engine.reading): here stands
the form, there the sense."""

from typing import Any

from rest_framework import serializers

from apps.flags.engine import FlagType, Operator, bucketers
from apps.flags.engine.reading import KEY_PATTERN, LONGEST_KEY
from apps.surfaces.kit.fields import Choice, Flag, Items, Moment, TenantId, Text, Whole
from apps.surfaces.kit.inputs import Body, Query

_KEY_HELP = f"Matches `{KEY_PATTERN}`."
_CONTEXT_KEY = "The attribute that is hashed; by default `tenantId`."


class Number(serializers.FloatField):
    """A JSON number, as it was written: the engine counts its decimals."""

    def to_internal_value(self, data: Any) -> Any:
        if type(data) not in {int, float}:
            raise serializers.ValidationError("A number is expected.")
        return data


class Key(Text):
    """The key of a flag or a segment; its form is judged by the engine."""

    def __init__(self, **options: Any) -> None:
        given = {"help_text": _KEY_HELP, "openapi": {"pattern": KEY_PATTERN}, **options}
        super().__init__(max_length=LONGEST_KEY, trim_whitespace=False, **given)


class VariationBody(Body):
    key = Text(max_length=64, trim_whitespace=False)
    value = serializers.JSONField(allow_null=True, help_text="Of the flag's type.")


class ConditionBody(Body):
    """`attribute`, `operator` and `value`, or `segment` alone."""

    attribute = Text(required=False, max_length=128, trim_whitespace=False)
    operator = Choice(Operator, required=False)
    value = serializers.JSONField(required=False, allow_null=True)
    segment = Key(required=False)


class PlainConditionBody(Body):
    """A condition of a segment."""

    attribute = Text(max_length=128, trim_whitespace=False)
    operator = Choice(Operator)
    value = serializers.JSONField(required=False, allow_null=True)


class SplitBody(Body):
    variation = Text(max_length=64, trim_whitespace=False)
    weight = Number(help_text="Percent, at most three decimals; all of a split add up to 100.")


class RuleBody(Body):
    """Conditions joined by AND; `variation`, or `split` with `contextKey`."""

    name = Text(required=False, allow_null=True, allow_blank=True, max_length=120)
    conditions = Items(child=ConditionBody(), max_length=50)
    variation = Text(required=False, allow_null=True, max_length=64, trim_whitespace=False)
    split = Items(child=SplitBody(), required=False, allow_null=True, max_length=100)
    contextKey = Text(required=False, allow_null=True, max_length=128, help_text=_CONTEXT_KEY)  # noqa: N815  as the contract writes it


class RolloutBody(Body):
    percentage = Number(help_text="0 to 100, at most three decimals.")
    contextKey = Text(required=False, allow_null=True, max_length=128, help_text=_CONTEXT_KEY)  # noqa: N815


class PrerequisiteBody(Body):
    key = Key()
    variation = Text(max_length=64, trim_whitespace=False)


class FlagPatch(Body):
    """Only what is to change."""

    fewest = 1

    description = Text(required=False, allow_blank=True, max_length=1000)
    defaultEnabled = Flag(required=False)  # noqa: N815
    type = Choice(FlagType, required=False)
    variations = Items(child=VariationBody(), required=False, max_length=100)
    offVariation = Text(required=False, max_length=64, trim_whitespace=False)  # noqa: N815
    rules = Items(child=RuleBody(), required=False, max_length=200)
    rollout = RolloutBody(required=False, allow_null=True)
    prerequisites = Items(child=PrerequisiteBody(), required=False, max_length=20)
    hash = Choice(list(bucketers), required=False, help_text="How a context key comes to its bucket.")
    salt = Text(required=False, max_length=200, trim_whitespace=False)
    tags = Items(child=Text(max_length=60), required=False, max_length=20)
    owner = Text(required=False, allow_null=True, allow_blank=True, max_length=200)
    expiresAt = Moment(required=False, allow_null=True, help_text="From then on it counts as stale.")  # noqa: N815


class FlagBody(FlagPatch):
    """A new flag. Boolean, with the variations `on` and `off`, unless `type` says otherwise."""

    fewest = 0

    key = Key()
    description = Text(allow_blank=True, max_length=1000)
    defaultEnabled = Flag()  # noqa: N815


class FlagFilters(Query):
    search = Text(required=False, allow_blank=True, max_length=200, help_text="A part of key or description.")
    tag = Text(required=False, max_length=60)
    archived = Flag(required=False)
    stale = Flag(required=False, help_text="Expired, settled or no longer asked for.")


class OverrideBody(Body):
    """Either `enabled` or `variation`."""

    tenantId = TenantId()  # noqa: N815
    enabled = Flag(required=False)
    variation = Text(required=False, max_length=64, trim_whitespace=False)
    reason = Text(required=False, allow_null=True, allow_blank=True, max_length=500)
    expiresAt = Moment(required=False, allow_null=True)  # noqa: N815


class ExplainBody(Body):
    tenantId = TenantId()  # noqa: N815

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # DRF's serializers have a property of this name, so it can't be declared as the others.
        sent = serializers.DictField(required=False, help_text="Attributes, as they would be sent.")
        return {**super().get_fields(), "context": sent}


class ScheduleBody(Body):
    at = Moment(help_text="Ahead.")
    change = FlagPatch()


class SegmentBody(Body):
    key = Key()
    description = Text(required=False, allow_blank=True, max_length=1000)
    conditions = Items(child=PlainConditionBody(), max_length=50)


class SegmentPatch(Body):
    fewest = 1

    description = Text(required=False, allow_blank=True, max_length=1000)
    conditions = Items(child=PlainConditionBody(), required=False, max_length=50)


class CountBody(Body):
    key = Text(max_length=LONGEST_KEY, help_text="One that is no flag's is answered in `unknown`.")
    count = Whole(min_value=1)
    variation = Text(required=False, allow_null=True, allow_blank=True, max_length=64)
    at = Moment(
        required=False, allow_null=True, help_text="In which hour; by default now. At most a day ago."
    )


class UsageBody(Body):
    evaluations = Items(child=CountBody(), max_length=1000)
