"""The seeded plans, as data. Migration 0003 writes them into a fresh database; operators edit them from then on.

Figures of starter, growth, regulated and enterprise: contracts/control.md, "Plans". Ids are the same everywhere,
so that a script that knows a plan by its id works against every installation.
"""

from dataclasses import dataclass, field
from uuid import UUID

from apps.plans.limits import LIMITS

_EVERY_ENGINE = ["postgres", "mongo", "kafka", "storage", "functions"]
_EVERYTHING = ["identity", *_EVERY_ENGINE, "observability", "audit"]


@dataclass(frozen=True, slots=True)
class SeededPlan:
    """A plan that a fresh installation has. Prices in cents of a US dollar."""

    number: int
    slug: str
    name: str
    description: str
    price_monthly: int
    price_yearly: int
    trial_days: int
    limits: dict[str, int | None]
    features: dict[str, bool]
    capabilities: list[str] = field(default_factory=lambda: list(_EVERYTHING))

    @property
    def id(self) -> UUID:
        """A UUIDv7 of a fixed moment (2025-11-01) and the plan's number."""
        return UUID(f"019a3cb6-bc00-7000-8000-{self.number:012x}")


def _limits(*figures: int | None) -> dict[str, int | None]:
    """One figure for each limit, in the order of the limits' catalogue."""
    return dict(zip(LIMITS, figures, strict=True))


def _features(
    *, api: bool, support: bool = False, brand: bool = False, figures: bool = False
) -> dict[str, bool]:
    return {
        "api_access": api,
        "priority_support": support,
        "white_label": brand,
        "advanced_analytics": figures,
    }


SEEDED: list[SeededPlan] = [
    SeededPlan(
        1, "free", "Free", "For a first look, without an end.", 0, 0, 0,
        _limits(2, 1, 5, 1_000, 1, 1, 5, 3, 1, 5_000, 5),
        _features(api=False),
        list(_EVERY_ENGINE),
    ),
    SeededPlan(
        2, "free_trial", "Free trial", "Two weeks of the whole product.", 0, 0, 14,
        _limits(5, 2, 10, 5_000, 2, 2, 10, 5, 3, 10_000, 25),
        _features(api=True),
        list(_EVERY_ENGINE),
    ),
    SeededPlan(
        3, "starter", "Starter", "For a small team.", 2_900, 29_000, 14,
        _limits(5, 3, 20, 50_000, 5, 3, 20, 10, 5, 50_000, 50),
        _features(api=True),
        list(_EVERY_ENGINE),
    ),
    SeededPlan(
        4, "growth", "Growth", "For a company that grows.", 9_900, 99_000, 14,
        _limits(25, 10, 100, 500_000, 50, 10, 100, 50, 25, 500_000, 250),
        _features(api=True, figures=True),
    ),
    SeededPlan(
        5, "pro", "Pro", "Growth with more senders and support that answers first.", 14_900, 149_000, 14,
        _limits(50, 20, 250, 1_000_000, 100, 15, 200, 100, 50, 1_000_000, 500),
        _features(api=True, support=True, figures=True),
    ),
    SeededPlan(
        6, "professional", "Professional", "For agencies, under their own brand.", 24_900, 249_000, 14,
        _limits(100, 50, 500, 2_500_000, 200, 20, 300, 150, 75, 2_500_000, 1_000),
        _features(api=True, support=True, brand=True, figures=True),
    ),
    SeededPlan(
        7, "regulated", "Regulated", "For banks, insurers and public bodies.", 49_900, 499_000, 30,
        _limits(250, 100, 1_000, 5_000_000, 500, 25, 500, 200, 100, 5_000_000, 2_500),
        _features(api=True, support=True, brand=True, figures=True),
    ),
    SeededPlan(
        8, "enterprise", "Enterprise", "Without bounds.", 99_900, 999_000, 30,
        _limits(None, None, None, None, None, None, None, None, None, None, None),
        _features(api=True, support=True, brand=True, figures=True),
    ),
]  # fmt: skip
