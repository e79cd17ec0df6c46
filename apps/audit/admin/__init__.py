"""Back office: the whole trail, and the timeline on the page of each object."""

from apps.audit.admin.section import AuditAdmin
from apps.audit.admin.timeline import Entries, timeline_tab
from apps.audit.admin.verifications import VerificationAdmin

__all__ = ["AuditAdmin", "Entries", "VerificationAdmin", "timeline_tab"]
