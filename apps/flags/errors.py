"""Refusals of feature flags. Codes: contracts/service.md, "Conventions"."""

from collections.abc import Sequence

from apps.core.errors import Conflict, Invalid, NotFound, Unavailable, Unprocessable


class FlagNotFound(NotFound):
    code = "ADM_FLAG_NOT_FOUND"
    message = "There is no such flag."


class FlagKeyTaken(Conflict):
    """The key of an archived flag stays taken."""

    code = "ADM_FLAG_KEY_DUPLICATE"
    message = "There is a flag with this key already."


class FlagArchived(Unprocessable):
    code = "ADM_FLAG_ARCHIVED"
    message = "The flag is archived; restore one of its versions first."


class FlagInvalid(Invalid):
    """`details`: {field: [sentence]}; an inner field as `rules.0.conditions.1.operator`."""

    code = "ADM_VALIDATION_FAILED"
    message = "The flag is not valid."

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(details={field: [sentence]})


class FlagsUnknown(Invalid):
    """`details`: {flags: [a sentence for each]}."""

    code = "ADM_FLAGS_UNKNOWN"
    message = "There is no such flag."

    def __init__(self, keys: Sequence[str]) -> None:
        sentences = [f"There is no flag {key[:128]!r}." for key in keys]
        super().__init__(" ".join(sentences)[:500], details={"flags": sentences})


class VersionNotFound(NotFound):
    code = "ADM_FLAG_VERSION_NOT_FOUND"
    message = "The flag has no such version."


class OverrideNotFound(NotFound):
    code = "ADM_OVERRIDE_NOT_FOUND"
    message = "The tenant has no override of this flag."


class SegmentNotFound(NotFound):
    code = "ADM_SEGMENT_NOT_FOUND"
    message = "There is no such segment."


class SegmentKeyTaken(Conflict):
    code = "ADM_SEGMENT_KEY_DUPLICATE"
    message = "There is a segment with this key already."


class SegmentInUse(Conflict):
    """`details["flags"]` names those that use it."""

    code = "ADM_SEGMENT_IN_USE"
    message = "Flags use this segment."

    def __init__(self, flags: Sequence[str]) -> None:
        super().__init__(f"These flags use the segment: {', '.join(flags)}.", details={"flags": list(flags)})


class FlagNeedsSecondPerson(Conflict):
    """Several flags were to be set at once: a part of them can't wait for somebody."""

    code = "ADM_FLAG_NEEDS_SECOND_PERSON"

    def __init__(self, key: str) -> None:
        super().__init__(f"A change of {key} needs a second person: ask for it by itself. Nothing was set.")


class ScheduleNotFound(NotFound):
    code = "ADM_SCHEDULE_NOT_FOUND"
    message = "There is no such scheduled change."


class ScheduleOver(Unprocessable):
    code = "ADM_SCHEDULE_OVER"
    message = "The change is no longer waiting."


class FlagsUnavailable(Unavailable):
    """This process never saw the flags, neither in the database nor in its file."""

    code = "FLAGS_UNAVAILABLE"
    message = "The flags can't be read: PostgreSQL does not answer."
