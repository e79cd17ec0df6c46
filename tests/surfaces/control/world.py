"""A small control surface to try its headers on: notes on tenants."""

import threading
from typing import Any

from rest_framework import serializers

from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.write import write
from apps.surfaces import control
from apps.surfaces.kit.actions import changes
from apps.surfaces.kit.answers import Answer
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.doors import paths, route
from apps.surfaces.kit.fields import Text
from apps.surfaces.kit.inputs import Body
from apps.tenants.errors import AlreadyInStatus, PlanUnknown, SlugTaken, TrialEnded
from apps.tenants.models import Tenant
from config import urls

# Lets a test hold a handler open while another request comes.
gate, entered = threading.Event(), threading.Event()

REFUSALS = {
    "transition": AlreadyInStatus(),
    "trial": TrialEnded(),
    "plan": PlanUnknown(),
    "slug": SlugTaken(),
    "conflict": Conflict(code="OF_THE_DOMAIN"),
    "invalid": Invalid(code="OF_THE_DOMAIN"),
    "thing": NotFound(code="ROW_NOT_FOUND"),
}


class Note(Body):
    text = Text(max_length=100)


class Row(serializers.Serializer[Any]):
    text = serializers.CharField()


class Notes(control.ViewSet):
    @changes(
        permission=control.PLATFORM_WRITE,
        throttle="control",
        body=Note,
        answer=Row,
        target="tenant",
        status=201,
    )
    def create(self, call: Call) -> Answer:
        """A note."""
        text = call.body["text"]
        if text in REFUSALS:
            raise REFUSALS[text]
        tenant = Tenant.objects.latest("created_at")
        with write("note.create", actor=call.actor, target=tenant.audit_target()):
            Tenant.objects.filter(pk=tenant.pk).update(version=tenant.version + 1)
        if text == "held":
            entered.set()
            gate.wait(10)
        return Answer({"text": text, "seen": sorted(_claims(call))}, status=201)

    @changes(permission=control.PLATFORM_WRITE, throttle="control", answer=Row, target="tenant")
    def destroy(self, call: Call) -> Answer:
        """Takes no body."""
        tenant = Tenant.objects.latest("created_at")
        with write("note.destroy", actor=call.actor, target=tenant.audit_target()):
            Tenant.objects.filter(pk=tenant.pk).update(version=tenant.version + 1)
        return Answer({"text": ""})


def _claims(call: Call) -> list[str]:
    """What a handler would find of what a caller says of themselves."""
    words = ("X-AUTH", "X-TENANT", "X-WORKSPACE", "X-ACTOR")
    return [name for name in call.request.headers if name.upper().startswith(words)]


urlpatterns = [
    *paths([route("POST /v1/notes", Notes, "create"), route("DELETE /v1/notes", Notes, "destroy")]),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)
