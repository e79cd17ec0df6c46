"""What anchors can be refused for."""

from apps.core.errors import Conflict, Unprocessable


class HeadsBehind(Conflict):
    """The heads of the chains do not go on from the newest anchor."""

    code = "AUDIT_HEADS_BEHIND"
    message = "The trail does not go on from the newest anchor."


class AnchorMissing(Conflict):
    """An anchor is missing from its own chain."""

    code = "AUDIT_ANCHOR_MISSING"
    message = "An anchor is not in the object store."


class RestoreNotNeeded(Unprocessable):
    """A restore was to be accepted, but the trail goes on from the newest anchor."""

    code = "AUDIT_RESTORE_NOT_NEEDED"
    message = "The trail goes on from the newest anchor: there is no restore to accept."


class AnchorDamaged(Unprocessable):
    """An anchor in the object store, or a file of heads that it names, is not what was put there."""

    code = "AUDIT_ANCHOR_DAMAGED"
    message = "An anchor in the object store is damaged."
