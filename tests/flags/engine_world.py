"""Definitions for tests of the engine, and hypothesis strategies that make them."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from apps.flags.engine import Flag, Override, Segment, Snapshot, TenantAttributes, read_flag, read_segment

TENANTS = [
    TenantAttributes("tnt_a", "pro", "active", ("vip", "beta"), "DE", "2026-01-31T12:00:00Z"),
    TenantAttributes("tnt_b", "free", "trial", (), None, "2026-11-01T00:00:00Z"),
    TenantAttributes("tnt_c", "pro", "suspended", ("vip",), "FR", "2025-06-01T00:00:00Z"),
]
BASE: dict[str, Any] = {"key": "checkout"}


def flag(**fields: Any) -> Flag:
    return read_flag({**BASE, **fields}, segments={"europeans"})


def segment(*conditions: dict[str, Any], key: str = "europeans") -> Segment:
    return read_segment({"key": key, "conditions": list(conditions)})


def snapshot(
    *flags: Flag, segments: Sequence[Segment] = (), overrides: Sequence[Override] = (), revision: str = "1"
) -> Snapshot:
    return Snapshot.build(
        revision=revision, flags=flags, segments=segments, overrides=overrides, tenants=TENANTS
    )


def rule(attribute: str, operator: str, value: Any, variation: str = "on") -> dict[str, Any]:
    return {
        "conditions": [{"attribute": attribute, "operator": operator, "value": value}],
        "variation": variation,
    }


# Any JSON that a caller might send, text with half a surrogate pair too.
TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
ATTRIBUTES = st.sampled_from(
    [
        "tenantId",
        "plan",
        "status",
        "tags",
        "country",
        "createdAt",
        "userId",
        "role",
        "appVersion",
        "ip",
        "age",
    ]
)
CONTEXTS = st.dictionaries(ATTRIBUTES | TEXT, JSON, max_size=6)

_TEXTUAL = ["equals", "not_equals", "contains", "starts_with", "ends_with"]


def _condition(operator: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"attribute": ATTRIBUTES, "operator": st.just(operator), "value": value})


_WORDS = st.sampled_from(["pro", "free", "vip", "DE", "u1", "1.2.0", "tnt_a"])
_NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(-9, 9)
_LISTS = st.lists(_WORDS | st.integers(0, 9), min_size=1, max_size=3)
CONDITIONS = st.one_of(
    *[_condition(operator, _WORDS) for operator in _TEXTUAL],
    *[_condition(operator, _LISTS) for operator in ("in", "not_in")],
    _condition("matches", st.sampled_from(["^p", "[0-9]+$", "(a|b)*c"])),
    *[_condition(operator, _NUMBERS) for operator in ("greater_than", "less_than")],
    *[
        _condition(operator, st.sampled_from(["1", "1.2.0", "2.0.0-rc.1"]))
        for operator in ("semver_equals", "semver_greater_than", "semver_less_than")
    ],
    *[_condition(operator, st.just("2026-06-01T00:00:00+02:00")) for operator in ("before", "after")],
    _condition("exists", st.booleans()),
    _condition("cidr", st.sampled_from(["10.0.0.0/8", ["2001:db8::/32", "192.0.2.0/24"]])),
    st.just({"segment": "europeans"}),
)  # fmt: skip


@st.composite
def weights(draw: st.DrawFn, variations: Sequence[str]) -> list[dict[str, Any]]:
    """A split with three decimals that adds up to 100."""
    cuts = sorted(
        draw(st.lists(st.integers(0, 100_000), min_size=len(variations) - 1, max_size=len(variations) - 1))
    )
    bounds = [0, *cuts, 100_000]
    return [
        {"variation": key, "weight": (after - before) / 1000}
        for key, before, after in zip(variations, bounds, bounds[1:], strict=False)
    ]


_PERCENTAGES = st.integers(0, 100_000).map(lambda number: number / 1000)


@st.composite
def flags(draw: st.DrawFn, key: str = "checkout") -> dict[str, Any]:
    """A definition as it would be sent."""
    names = ["red", "green", "blue"]
    rules = draw(
        st.lists(
            st.one_of(
                st.fixed_dictionaries(
                    {
                        "conditions": st.lists(CONDITIONS, min_size=1, max_size=3),
                        "variation": st.sampled_from(names),
                    }
                ),
                st.fixed_dictionaries(
                    {
                        "conditions": st.lists(CONDITIONS, min_size=1, max_size=2),
                        "split": weights(names),
                        "contextKey": st.sampled_from(["tenantId", "userId"]),
                    }
                ),
            ),
            max_size=4,
        )
    )
    return {
        "key": key,
        "type": "string",
        "variations": [{"key": name, "value": name.upper()} for name in names],
        "offVariation": draw(st.sampled_from(names)),
        "defaultEnabled": draw(st.booleans()),
        "isArchived": draw(st.integers(0, 9)) == 0,
        "rules": rules,
        "rollout": draw(st.none() | st.fixed_dictionaries({"percentage": _PERCENTAGES})),
        "hash": draw(st.sampled_from(["murmur3", "unleash", "growthbook-v2", "launchdarkly"])),
        "salt": draw(st.sampled_from(["s1", "s2"])),
    }  # fmt: skip


EUROPEANS = segment({"attribute": "country", "operator": "in", "value": ["DE", "FR", "IT"]})


def built(*definitions: dict[str, Any], overrides: Sequence[Override] = ()) -> Snapshot:
    made = [read_flag(each, segments={"europeans"}) for each in definitions]
    return snapshot(*made, segments=[EUROPEANS], overrides=overrides)
