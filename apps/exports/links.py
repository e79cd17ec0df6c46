"""Signed links: HMAC-SHA256 over the export, its content and the end of its time."""

from urllib.parse import urlencode

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.exports.models import Export

_PURPOSE = "apps.exports.links"
PATH = "/downloads/exports/{id}"


def _signature(export: Export, expires: int) -> str:
    said = f"{export.public_id}|{export.sha256}|{expires}"
    return salted_hmac(_PURPOSE, said, algorithm="sha256").hexdigest()


def download_url(export: Export) -> str:
    """The address of a file that is ready; it holds until the export expires, for whoever may download it."""
    if export.expires_at is None:
        raise ValueError("an export that is not ready has no link")
    expires = int(export.expires_at.timestamp())
    query = urlencode({"expires": expires, "signature": _signature(export, expires)})
    return f"{settings.PUBLIC_URL}{PATH.format(id=export.public_id)}?{query}"


def is_signed(export: Export, *, expires: int, signature: str) -> bool:
    """True where we made the link, for this export as it is now. Compared in constant time."""
    return constant_time_compare(signature, _signature(export, expires))
