"""One JSON object a line, for our loggers and everybody else's. Imported by the settings: needs none itself."""

import json
import logging.config
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.typing import Processor

from apps.core.observability.redaction import redact_event

_FIRST = ("timestamp", "level", "logger", "event", "request_id", "correlation_id", "actor", "tenant")


def _stamp(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record = event.get("_record")
    moment = datetime.fromtimestamp(record.created, UTC) if record is not None else datetime.now(UTC)
    event["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _render_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    ordered = {name: event.pop(name, None) for name in _FIRST}
    ordered.update(sorted(event.items()))
    return json.dumps(ordered, ensure_ascii=False, default=str)


def _exception() -> Processor:
    """Exceptions as structured values, without the frames' local variables: those hold secrets."""
    return structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow={"status_code"}),
        _stamp,
    ]


def json_formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _exception(),
            redact_event,
            _render_json,
        ],
    )


def console_formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact_event,
            structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0),
        ],
    )


def logging_config(*, level: str = "INFO", style: str = "json") -> dict[str, Any]:
    """The dictConfig of a process.

    Args:
        level: the least level that is written.
        style: `json` for machines, `console` for people.
    """
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "apps.core.observability.logs.json_formatter"},
            "console": {"()": "apps.core.observability.logs.console_formatter"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": style}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would print each line a second time, as text.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # One line a request is ours (RequestContext); a 4xx is no warning.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "ERROR"},
            # A wrong Host is anybody's to send: the line of the request (400) says enough, a trace would fill the log.
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL"},
            "httpx": quiet,
            "httpcore": quiet,
            "urllib3": quiet,
            "stripe": quiet,
            "rq.worker": quiet,
            "celery.worker.strategy": quiet,
            "celery.app.trace": quiet,
            "celery.beat": quiet,
            "kombu": quiet,
        },
    }


def _own() -> list[Processor]:
    """Structlog's own events have no LogRecord yet, and so no extra attributes to take from it."""
    shared = [each for each in _shared() if not isinstance(each, structlog.stdlib.ExtraAdder)]
    return [
        structlog.stdlib.filter_by_level,
        *shared,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]


# One list for the life of the process: loggers that were used before keep it.
_PROCESSORS = _own()


def configure(config: dict[str, Any]) -> None:
    """settings.LOGGING_CONFIG: sets up the standard library's logging and structlog on top of it."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
