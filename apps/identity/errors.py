"""Refusals of the identity app."""

from apps.core.errors import Conflict, Invalid, NotFound, Unauthenticated, Unprocessable


class TokenRefused(Unauthenticated):
    """The token does not count. The caller learns one sentence; `reason` is a word for the log.

    Saying more would help nobody but the one who tries tokens out.
    """

    message = "The token is not valid."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class LifetimeInvalid(Invalid):
    code = "TOKEN_LIFETIME_INVALID"
    message = "A token lives from a second to 30 days."


class SubjectInvalid(Invalid):
    code = "TOKEN_SUBJECT_INVALID"
    message = "A subject has 1 to 255 characters."


class WorkspaceElsewhere(Invalid):
    code = "WORKSPACE_ELSEWHERE"
    message = "The workspace is not one of this tenant."


class PersonInactive(Unprocessable):
    code = "PERSON_INACTIVE"
    message = "This person is suspended or blocked; a token would not be taken."


class KeyPending(Conflict):
    code = "SIGNING_KEY_PENDING"
    message = "A new signing key is published already and will sign soon."


class IdentityTaken(Conflict):
    code = "IDENTITY_TAKEN"
    message = "Somebody is known by this issuer and subject already."


class IdentityUnknown(NotFound):
    code = "IDENTITY_UNKNOWN"
    message = "This person is no longer known by that issuer and subject."


class MintingRefused(Unprocessable):
    code = "MINTING_REFUSED"
    message = "Tokens are not minted by hand in production; --force does it nevertheless."


class OtherRoles(Unprocessable):
    code = "OTHER_STAFF_ROLES"
    message = "This person does not have exactly these staff roles."


class NameInvalid(Invalid):
    code = "STAFF_NAME_INVALID"
    message = "A word that tells staff members apart has 1 to 32 small letters, digits or hyphens."
