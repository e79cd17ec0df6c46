"""What tests of people share."""

import json
import time
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.core.models import Job
from apps.core.sealing import open_text
from apps.users.models import User
from apps.users.services.mfa import PERIOD_SECONDS, code_at, enrol_totp, new_secret
from tests.factories import actor


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


def enrol(user: User) -> str:
    """Sets up an authenticator app for the person; answers its secret."""
    secret = new_secret()
    enrol_totp(actor=actor(), user=user, secret=secret)
    return secret


def code(secret: str, *, steps: int = 0) -> str:
    """The app's code now, or some steps of 30 s later."""
    return code_at(secret, int(now().timestamp()) // PERIOD_SECONDS + steps)


def sign_in(client: Client, user: User, *methods: str) -> None:
    """A session as after a sign-in with these methods (default: password and TOTP)."""
    client.force_login(user)
    session = client.session
    used = methods or ("password", "totp")
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time()}
        if each == "password"
        else {"method": "mfa", "type": each, "at": time.time()}
        for each in used
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
