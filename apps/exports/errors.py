"""Refusals of exports."""

from apps.core.errors import Forbidden, Invalid, NotFound, Unprocessable


class ExportNotFound(NotFound):
    code = "EXPORT_NOT_FOUND"
    message = "There is no such export."


class ExportKindUnknown(Invalid):
    code = "EXPORT_KIND_UNKNOWN"
    message = "This can't be exported."


class ExportParamsInvalid(Invalid):
    """`details`: {parameter: [sentence]}."""

    code = "EXPORT_PARAMS_INVALID"
    message = "The parameters of the export are not valid."


class ExportNotReady(Unprocessable):
    """`details["status"]` says why there is no file."""

    code = "EXPORT_NOT_READY"
    message = "There is no file to download."


class LinkInvalid(Forbidden):
    """Changed, of another export, or over its time."""

    code = "EXPORT_LINK_INVALID"
    message = "This link is not valid, or no longer."
