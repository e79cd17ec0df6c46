"""What this app tells the others when Django has loaded them: figures it owns, samples, aspects."""

from apps.approvals.registry import ask_about_people
from apps.tenants import facts, sample_data
from apps.users import aspects, exporting
from apps.users.samples import make_people
from apps.users.selectors import still_may
from apps.users.services import approved
from apps.users.services.memberships import count_members


def install() -> None:
    """Called once, by the app's configuration."""
    facts.own("members", count_members)
    sample_data.register("users.people", make_people, order=20)
    aspects.install()
    ask_about_people(still_may)
    approved.install()
    exporting.install()
