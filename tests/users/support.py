"""What tests of people share."""

import json
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.models import Job
from apps.core.sealing import open_text
from apps.users.models import User


def open_session(user: User, address: str = "203.0.113.50") -> str:
    """A live session of the person, with its row in the list of sessions; answers its key."""
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store.create()
    key = str(store.session_key)
    UserSession.objects.create(user=user, session_key=key, ip=address, user_agent="test")
    return key


def trail(action: str) -> AuditEntry:
    """The one entry of that action."""
    return AuditEntry.objects.get(action=action)


def detail(entry: AuditEntry, part: str = "subject") -> dict[str, Any]:
    """Reason, before and after of an entry; with `part="actor"` label and address."""
    body: dict[str, Any] = json.loads(AuditDetail.objects.get(entry=entry, part=part).body)
    return body


def mails() -> list[dict[str, Any]]:
    """The mails that were asked for, oldest first, in clear."""
    rows = Job.objects.filter(name="core.send_mail").order_by("id")
    return [json.loads(open_text(row.args["sealed"], purpose="mail")) for row in rows]
