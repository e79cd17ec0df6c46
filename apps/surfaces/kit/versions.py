"""`If-Match` and `ETag`: a resource's version. Source: design/reliability.md, "Concurrency"."""

import re

from apps.core.errors import Invalid

# ECMA 262, anchored: OpenAPI shows it. A proxy that compresses makes an ETag weak (`W/`): the version is the same.
PATTERN = r'^(\*|(W/)?"v?[0-9]{1,9}"|v?[0-9]{1,9})$'
_DIGITS = re.compile(r"[0-9]+")


def if_match(header: str | None) -> int | None:
    """The version that the caller has read: 7 of `"v7"` or `7`; None without the header, or for `*`.

    Raises:
        Invalid: anything else.
    """
    if header is None or header.strip() == "*":
        return None
    if re.fullmatch(PATTERN, header.strip()) is None:
        sentence = 'If-Match is written "v7" or 7.'
        raise Invalid(sentence, details={"If-Match": [sentence]})
    return int(_DIGITS.findall(header)[0])


def etag(version: int) -> str:
    return f'"v{version}"'


def is_known(tag: str, header: str | None) -> bool:
    """True where `If-None-Match` lists the tag, weakly compared (RFC 9110 13.1.2); both with their quotes."""
    if not header:
        return False
    return header.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in header.split(","))
