"""Refusals about people."""

from apps.core.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, Unauthenticated


class UserNotFound(NotFound):
    code = "USER_NOT_FOUND"
    message = "There is no such user."


class EmailTaken(Conflict):
    code = "EMAIL_TAKEN"
    message = "Somebody has this e-mail address already."


class EmailInvalid(Invalid):
    code = "EMAIL_INVALID"
    message = "This is not an e-mail address."


class NameInvalid(Invalid):
    code = "NAME_INVALID"
    message = "A name has at most 200 characters."


class NotesInvalid(Invalid):
    code = "NOTES_INVALID"
    message = "Notes have at most 5,000 characters."


class ReasonInvalid(Invalid):
    code = "REASON_INVALID"
    message = "A reason has 3 to 500 characters."


class AlreadySuspended(Conflict):
    code = "ALREADY_SUSPENDED"
    message = "The user is suspended already."


class NotSuspended(Conflict):
    code = "NOT_SUSPENDED"
    message = "The user is not suspended."


class AlreadyBlocked(Conflict):
    code = "ALREADY_BLOCKED"
    message = "The user is blocked already."


class NotBlocked(Conflict):
    code = "NOT_BLOCKED"
    message = "The user is not blocked."


class Yourself(Conflict):
    """Nobody locks themselves out."""

    code = "YOURSELF"
    message = "You can't do this to yourself."


class LastSuperAdmin(Conflict):
    """Steward is never left without an active super_admin."""

    code = "LAST_SUPER_ADMIN"
    message = "This is the last active super_admin."


class NeedsSuperAdmin(Forbidden):
    """Who may suspend people may not suspend those who stand above them."""

    code = "NEEDS_SUPER_ADMIN"
    message = "Only a super_admin may do this to a super_admin."


class MembershipExists(Conflict):
    code = "MEMBERSHIP_EXISTS"
    message = "The user is a member of this tenant already."


class NotAMember(Conflict):
    code = "NOT_A_MEMBER"
    message = "The user is not a member of a tenant."


class WhichMembership(Invalid):
    """The user has several memberships: `tenant_id` says which one is meant."""

    code = "WHICH_MEMBERSHIP"
    message = "The user has several memberships; name the tenant."


class LinkUsed(Conflict):
    code = "LINK_USED"
    message = "This link no longer counts."


class NotStaff(Conflict):
    code = "NOT_STAFF"
    message = "The user is not an active staff member."


class ConfirmationWrong(Invalid):
    """Whoever erases a person types their e-mail address."""

    code = "CONFIRMATION_WRONG"
    message = "This is not the user's e-mail address."


class SoleOwner(Conflict):
    """`details["blockers"]` has a sentence for each tenant."""

    code = "SOLE_OWNER"
    message = "A live tenant has no other owner."


class UserChanged(PreconditionFailed):
    """`details["current"]` is the present version."""


class SignInRefused(Unauthenticated):
    """The password is wrong, or the address unknown: which of both is never said."""

    code = "SIGN_IN_REFUSED"
    message = "The e-mail address or the password is wrong."


class SignInNotAllowed(Forbidden):
    """The proof was right, but this person may not come in; the sentence says why."""

    code = "SIGN_IN_NOT_ALLOWED"
    message = "You may not sign in here."
