"""Rows for tests, made directly: a test of a service must not need the service to stand up its world."""

from tests.factories.flags import make_flag, make_override, make_segment
from tests.factories.people import actor, make_member, make_staff, make_user, staff_principal
from tests.factories.tenants import get_plan, make_facts, make_tenant, make_workspace

__all__ = [
    "actor",
    "get_plan",
    "make_facts",
    "make_flag",
    "make_member",
    "make_override",
    "make_segment",
    "make_staff",
    "make_tenant",
    "make_user",
    "make_workspace",
    "staff_principal",
]
