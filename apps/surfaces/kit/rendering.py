"""JSON out: datetimes as ISO 8601 in UTC with milliseconds and `Z`, Decimals as JSON numbers."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

from apps.core.clock import iso

# Datetimes are ours (orjson writes microseconds); UUIDs, dates, enums and dataclasses are its own.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def dumps(value: Any) -> bytes:
    """The bytes of a JSON value.

    Raises:
        TypeError: a value that has no place in JSON.
    """
    return orjson.dumps(value, default=_other, option=_OPTIONS)


def _other(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        # Written as it stands: 12.50 stays 12.50, and nothing passes through a binary float.
        return orjson.Fragment(f"{value:f}".encode())
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, bytes | memoryview):
        raise TypeError("bytes are no JSON value")
    raise TypeError(f"{type(value).__name__} is no JSON value")


class JSON(BaseRenderer):
    """For DRF's settings and OpenAPI; the kit's own answers are written by `dumps`."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        del accepted_media_type, renderer_context
        return b"" if data is None else dumps(data)
