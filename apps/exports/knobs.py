"""Knobs of exports."""

from apps.core.knobs import integer

LINK_HOURS = integer(
    "exports.link_hours",
    default=24,
    minimum=1,
    maximum=72,
    section="Exports",
    description="Hours for which the file of an export can be downloaded.",
)
MAX_ROWS = integer(
    "exports.max_rows",
    default=100_000,
    minimum=1,
    maximum=5_000_000,
    section="Exports",
    description="Rows that a file holds at most, whatever is exported; the export says when more was there.",
)
