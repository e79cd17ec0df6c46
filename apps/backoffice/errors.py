"""Refusals of the back office itself."""

from apps.core.access import roles_with
from apps.core.errors import Forbidden, NotFound


class Refused(Forbidden):
    """The reader's roles do not hold the permission; the page says which roles do."""

    code = "ROLE_NEEDED"

    def __init__(self, permission: str) -> None:
        self.permission = permission
        roles = [role.value for role in roles_with(permission)]
        super().__init__("Your roles do not open this page.", details={"roles": roles})


class NoSuchPage(NotFound):
    message = "It may have been removed, or the address is wrong."
