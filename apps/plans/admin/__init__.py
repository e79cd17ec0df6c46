"""Back office: the catalogue."""

from apps.plans.admin.section import PlanAdmin

__all__ = ["PlanAdmin"]
