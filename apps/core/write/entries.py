"""What the trail is told of one write."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from apps.core.principal import Principal


class Outcome(StrEnum):
    SUCCESS = "success"
    DENIED = "denied"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Target:
    """What is acted upon.

    Attributes:
        type: `user`, `tenant`, `plan`, …
        id: its public id.
        tenant_id: whose chain the row goes to; None: the platform's chain.
        person_id: whose personal data the row may hold (reason, before, after), so that it can be shredded.
    """

    type: str
    id: str
    tenant_id: UUID | None = None
    person_id: UUID | None = None


@dataclass(slots=True)
class Entry:
    """One audit row to be."""

    at: datetime
    actor: Principal
    action: str
    target: Target
    reason: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.SUCCESS
    request_id: str = ""
    correlation_id: str = ""


class Recorder(Protocol):
    """Appends rows to the trail inside the present transaction (settings.AUDIT_RECORDER)."""

    def __call__(self, entries: list[Entry]) -> None: ...
