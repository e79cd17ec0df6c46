"""Sessions that nobody uses end: the knob `global.session_idle_minutes`."""

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


class IdleSessions:
    """Before allauth's UserSessionsMiddleware, which notes for each session when it was last used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, User):
            _end_if_idle(request, request.user)
        return self.get_response(request)


def _end_if_idle(request: HttpRequest, user: User) -> None:
    own = UserSession.objects.filter(session_key=request.session.session_key)
    seen = own.values_list("last_seen_at", flat=True).first()
    if seen is None or now() - seen <= timedelta(minutes=GLOBAL_SESSION_IDLE_MINUTES.get()):
        return
    actor = user.principal(via="accounts", address=client_address_of(request))
    with write("auth.session_idle", actor=actor, target=user.audit_target()) as w:
        w.note(sessions_ended=1)
        own.delete()
        logout(request)
