"""Back office: flags with their editor, segments, the panel that says who gets what, a tab on a tenant's page."""

from apps.flags.admin import home
from apps.flags.admin.section import FlagAdmin
from apps.flags.admin.segments import SegmentAdmin

__all__ = ["FlagAdmin", "SegmentAdmin", "home"]
