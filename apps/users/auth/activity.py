"""When a session was last used, and the end of those that nobody uses (knob `global.session_idle_minutes`).

Takes the place of allauth's UserSessionsMiddleware, which writes at each request: the list of sessions and the
shortest idle time (5 minutes) need no more than a note a minute.
"""

from collections.abc import Callable
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase

from apps.configuration.knobs import GLOBAL_SESSION_IDLE_MINUTES
from apps.core.clock import now
from apps.core.observability.addresses import client_address_of
from apps.core.write import write
from apps.users.models import User

_NOTED_EVERY = timedelta(minutes=1)
# Of a page that reads itself anew: nobody may sit before it, so it doesn't keep the session alive.
_UNATTENDED = "X-Steward-Unattended"


class SessionActivity:
    """After AuthenticationMiddleware: ends an idle session, else notes that it is in use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, User):
            _end_or_note(request, request.user)
        return self.get_response(request)


def _end_or_note(request: HttpRequest, user: User) -> None:
    own = UserSession.objects.filter(session_key=request.session.session_key)
    seen = own.values_list("last_seen_at", flat=True).first()
    unused = now() - seen if seen is not None else None
    if unused is not None and unused > timedelta(minutes=GLOBAL_SESSION_IDLE_MINUTES.get()):
        actor = user.principal(via="accounts", address=client_address_of(request))
        with write("auth.session_idle", actor=actor, target=user.audit_target()) as w:
            w.note(sessions_ended=1)
            own.delete()
            logout(request)
    elif unused is None or (unused > _NOTED_EVERY and _UNATTENDED not in request.headers):
        UserSession.objects.create_from_request(request)
