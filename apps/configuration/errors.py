"""Refusals of the configuration. Codes: contracts/service.md, "Conventions"."""

from apps.core.errors import Conflict, Invalid, NotFound, Unprocessable


class KeyUnknown(Invalid):
    """The key is declared neither in code nor by an operator. `details`: {key: [sentence]}."""

    code = "ADM_CONFIG_KEY_UNKNOWN"
    message = "This configuration key is not known."

    def __init__(self, key: str) -> None:
        super().__init__(details={"key": [f"{key[:120]!r} is not a known configuration key."]})


class ValueInvalid(Invalid):
    """`details`: {field: [sentence]}; the field is `value`, `scope`, `tenantId` or `description`."""

    code = "ADM_CONFIG_VALUE_INVALID"
    message = "The configuration value is not valid."

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(details={field: [sentence]})


class ConfigNotFound(NotFound):
    code = "ADM_CONFIG_NOT_FOUND"
    message = "There is no such configuration value."


class TenantUnknown(NotFound):
    code = "ADM_TENANT_NOT_FOUND"
    message = "There is no such tenant."


class KeyInvalid(Invalid):
    """A declaration that makes no sense. `details`: {field: [sentence]}."""

    code = "ADM_CONFIG_KEY_INVALID"
    message = "The declaration of the key is not valid."

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(details={field: [sentence]})


class KeyTaken(Conflict):
    code = "ADM_CONFIG_KEY_DUPLICATE"
    message = "This configuration key is declared already."


class KeyInUse(Conflict):
    """Values of the key stand in the way; `details["values"]` says how many."""

    code = "ADM_CONFIG_KEY_IN_USE"
    message = "Values of this key stand in the way; archive them first."


class RevisionGone(Unprocessable):
    """The revision can't be restored: its key is gone, or its value is no longer allowed."""

    code = "ADM_CONFIG_REVISION_GONE"
    message = "This revision can't be restored."
