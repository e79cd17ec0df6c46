"""Revisions: monotonic numbers by topic."""

from collections.abc import Sequence

from django.db import connection

from apps.core.models import LiveTopic

CHANNEL = "steward_live"


def bump(topics: Sequence[str]) -> None:
    """Raises and announces each topic; call it last in a write (it locks the topic's row) and sorted."""
    if not topics:
        return
    with connection.cursor() as cursor:
        for topic in topics:
            cursor.execute(
                "INSERT INTO core_live_topic (name, revision, changed_at) VALUES (%s, 1, now()) "
                "ON CONFLICT (name) DO UPDATE SET revision = core_live_topic.revision + 1, changed_at = now() "
                "RETURNING pg_notify(%s, name || ' ' || revision)",
                [topic, CHANNEL],
            )


def revision(topic: str) -> int:
    """The present revision; 0 for a topic that was never raised."""
    found = LiveTopic.objects.filter(name=topic).values_list("revision", flat=True).first()
    return found or 0


def revisions() -> dict[str, int]:
    return dict(LiveTopic.objects.values_list("name", "revision"))
