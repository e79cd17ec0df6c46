"""Structured logs; the processors live in apps.core.observability."""

from typing import Any

from apps.core.observability.logs import logging_config
from config.env import environment

env = environment()

LOGGING_CONFIG = "apps.core.observability.logs.configure"
LOGGING: dict[str, Any] = logging_config(level=env.LOG_LEVEL, style=env.LOG_FORMAT)
