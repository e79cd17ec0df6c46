"""`If-Match` and `ETag`: a resource's version. Source: design/reliability.md, "Concurrency"."""

import re

from apps.core.errors import Invalid

_WRITTEN = re.compile(r'"v(\d{1,9})"|"?(\d{1,9})"?|v(\d{1,9})', re.ASCII)


def if_match(header: str | None) -> int | None:
    """The version that the caller has read: 7 of `"v7"` or `7`; None without the header, or for `*`.

    Raises:
        Invalid: anything else.
    """
    if header is None or header.strip() == "*":
        return None
    found = _WRITTEN.fullmatch(header.strip())
    if found is None:
        sentence = 'If-Match is written "v7" or 7.'
        raise Invalid(sentence, details={"If-Match": [sentence]})
    return int(next(group for group in found.groups() if group is not None))


def etag(version: int) -> str:
    return f'"v{version}"'


def is_known(tag: str, header: str | None) -> bool:
    """True where `If-None-Match` lists the tag, weakly compared (RFC 9110 13.1.2); both with their quotes."""
    if not header:
        return False
    return header.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in header.split(","))
