"""The operators' pages (django-unfold)."""

from typing import Any

UNFOLD: dict[str, Any] = {}
