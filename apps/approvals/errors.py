"""Refusals of approvals."""

from apps.core.errors import Conflict, Forbidden, NotFound


class ApprovalRequired(Forbidden):
    """The action needs a second person here; ask for it (apps.approvals.services.perform)."""

    code = "APPROVAL_REQUIRED"
    message = "This needs the approval of a second person."


class ApprovalNotFound(NotFound):
    code = "APPROVAL_NOT_FOUND"
    message = "There is no such approval request."


class ApprovalDecided(Conflict):
    """`details["status"]` says what became of it."""

    code = "APPROVAL_DECIDED"
    message = "This request has been decided already."


class ApprovalExpired(Conflict):
    code = "APPROVAL_EXPIRED"
    message = "This request has expired; it must be made again."


class OwnApproval(Forbidden):
    """No exemption, for whatever role."""

    code = "OWN_APPROVAL"
    message = "Another person must decide on your request."


class RequesterStopped(Conflict):
    """They were suspended, blocked or erased, or lost the right, since they asked."""

    code = "APPROVAL_REQUESTER_STOPPED"
    message = "Whoever asked for this may do it no longer."


class ApprovalTampered(Conflict):
    """What is stored is not what was asked for: it is never executed."""

    code = "APPROVAL_TAMPERED"
    message = "The parameters of this request were changed after it was made."


class ActionUnknown(Conflict):
    code = "APPROVAL_ACTION_UNKNOWN"
    message = "No part of Steward knows how to execute this action any longer."
