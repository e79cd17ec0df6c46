"""What this app holds about a person, and what it does when the person goes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from apps.core.aspects import Aspect, Subject, register
from apps.core.clock import iso
from apps.core.principal import Principal
from apps.identity.models import ExternalIdentity


def _summary(user_id: UUID) -> dict[str, Any]:
    return {"external_identities": ExternalIdentity.objects.filter(user_id=user_id).count()}


def _export(user_id: UUID) -> Iterator[dict[str, Any]]:
    for identity in ExternalIdentity.objects.filter(user_id=user_id).iterator():
        yield {
            "issuer": identity.issuer,
            "subject": identity.subject,
            "created_at": iso(identity.created_at),
        }


def _erase(user_id: UUID, actor: Principal) -> int:
    """Inside the write of the erasure; its row in the trail names the actor."""
    del actor
    return ExternalIdentity.objects.filter(user_id=user_id).delete()[0]


def install() -> None:
    register(
        Aspect(
            name="identity.external_identities",
            subject=Subject.USER,
            models=["identity.ExternalIdentity"],
            summary=_summary,
            export=_export,
            remove=_erase,
        )
    )
