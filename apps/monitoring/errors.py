"""What goes wrong with sources."""

from apps.core.errors import NotFound


class SourceNotFound(NotFound):
    """Nobody registered it, or it was removed."""

    message = "There is no such source."
