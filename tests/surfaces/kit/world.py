"""A small platform surface to try the kit on: notes on tenants, and what goes wrong with them."""

import threading
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest
from rest_framework import serializers

from apps.core.errors import Conflict, Forbidden, Locked, NotFound, PreconditionFailed, Unauthenticated
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import write
from apps.surfaces import platform
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Csv, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.doors import paths, route
from apps.surfaces.kit.fields import Amount, Choice, Flag, Items, Moment, Text, Whole
from apps.surfaces.kit.inputs import Body, Query
from apps.surfaces.kit.ordering import Ordering
from apps.surfaces.kit.surface import OPEN
from apps.tenants.models import Tenant
from apps.tenants.querysets import visible_to

PREFIX = "/api/v1/platform/notes"


class ByHeader:
    """`Authorization: Test super_admin,ops`; `Test !` is a bad credential, `Test -` a tenant's own person."""

    challenge = "Test"

    def authenticate(self, request: HttpRequest) -> Principal | None:
        scheme, _, roles = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Test":
            return None
        if roles == "!":
            raise Unauthenticated("This token is not good.")
        kind = PrincipalKind.USER if roles == "-" else PrincipalKind.STAFF
        name, _, listed = roles.rpartition(":")
        return Principal(kind=kind, id=f"usr_{name or listed}", roles=frozenset(listed.split(",")))


class ByCookie:
    """A browser's session."""

    uses_cookies = True

    def authenticate(self, request: HttpRequest) -> Principal | None:
        if request.COOKIES.get("who") != "operator":
            return None
        return Principal(kind=PrincipalKind.STAFF, id="usr_browser", roles=frozenset({"super_admin"}))


class Filters(Query):
    plan = Text(required=False, max_length=40)
    status = Choice(["active", "trial"], required=False)
    since = Moment(required=False)
    users_min = Whole(required=False, min_value=0)
    mrr_min = Amount(required=False)
    test = Flag(required=False)
    format = Choice(["csv"], required=False)


class Inner(Body):
    reason = Text(min_length=3, max_length=500)
    limit = Whole(required=False, min_value=0)


class Note(Body):
    text = Text(min_length=3, max_length=200)
    stars = Whole(required=False, min_value=1, max_value=5)
    price = Amount(required=False)
    loud = Flag(required=False)
    kind = Choice(["good", "bad"], required=False)
    at = Moment(required=False)
    tags = Items(child=Text(max_length=10), required=False, max_length=3)
    inner = Inner(required=False, allow_null=True)


class Row(serializers.Serializer[Any]):
    id = serializers.CharField()
    company = serializers.CharField()


# Lets a test hold a handler open while another request comes.
gate = threading.Event()
entered = threading.Event()


def _row(tenant: Tenant) -> dict[str, Any]:
    return {"id": tenant.public_id, "company": tenant.company_name}


class Notes(platform.ViewSet):
    @reads(
        permission="tenants.read",
        throttle="platform",
        query=Filters,
        ordering=Ordering("created_at", company="company_name", mrr="facts__mrr", default="-created_at"),
        answer=Row,
        paged=True,
        formats={"text/csv": "The same rows."},
    )
    def list(self, call: Call) -> Page | Csv:
        """Notes, newest first."""
        rows = visible_to(call.actor)
        if "plan" in call.query:
            rows = rows.filter(plan__slug=call.query["plan"])
        if call.query.get("format") == "csv":
            ordered = rows.order_by("company_name")
            return Csv("notes.csv", ["id", "company"], (_row(tenant) for tenant in ordered.iterator()))
        return call.page(rows, lambda found: [_row(tenant) for tenant in found])

    @changes(permission="tenants.override", throttle="platform", body=Note, answer=Row, target="tenant")
    def create(self, call: Call) -> Answer:
        """Echoes what came in."""
        tenant = Tenant.objects.latest("created_at")
        with write("note.create", actor=call.actor, target=tenant.audit_target()) as w:
            Tenant.objects.filter(pk=tenant.pk).update(company_name=call.body["text"])
            w.changed(after={"company_name": call.body["text"]})
        return Answer({**call.body, "actor": call.actor.id}, status=201)

    @reads(permission="tenants.read", throttle="platform", answer=Row, audit="note.view")
    def retrieve(self, call: Call) -> Answer:
        """One note."""
        tenant = visible_to(call.actor).filter(slug=call.path["id"]).first()
        if tenant is None:
            raise NotFound
        call.viewed("note.view", tenant.audit_target())
        return Answer({"tenant": _row(tenant)}, version=tenant.version)

    @changes(permission="tenants.override", throttle="platform", body=Note, answer=Row, target="tenant")
    def partial_update(self, call: Call) -> Answer:
        """Renames, under If-Match."""
        tenant = Tenant.objects.get(slug=call.path["id"])
        with write("note.update", actor=call.actor, target=tenant.audit_target()):
            if call.if_match is not None and call.if_match != tenant.version:
                raise PreconditionFailed(details={"current": tenant.version})
            Tenant.objects.filter(pk=tenant.pk).update(
                company_name=call.body["text"], version=tenant.version + 1
            )
        return Answer({"company": call.body["text"]}, version=tenant.version + 1)

    @changes(permission="tenants.override", throttle="platform", answer=None, target="tenant", status=204)
    def destroy(self, call: Call) -> Answer:
        """Clears the name."""
        tenant = Tenant.objects.get(slug=call.path["id"])
        with write("note.clear", actor=call.actor, target=tenant.audit_target()):
            Tenant.objects.filter(pk=tenant.pk).update(company_name="-")
        return Answer(None, status=204)

    def forgotten(self, call: Call) -> Answer:
        """Declares nothing."""
        return Answer(call.body)


class Odd(platform.ViewSet):
    """What goes wrong, one action for each way."""

    @changes(
        permission="tenants.override", throttle="platform", answer=Row, target="tenant", shown_once=["key"]
    )
    def secret(self, call: Call) -> Answer:
        """Answers with a key."""
        tenant = Tenant.objects.latest("created_at")
        with write("note.secret", actor=call.actor, target=tenant.audit_target()):
            Tenant.objects.filter(pk=tenant.pk).update(version=tenant.version + 1)
        return Answer({"tenant": {"key": "gai-secret", "id": tenant.public_id}}, status=201)

    @changes(permission="tenants.override", throttle="platform", answer=Row, target="tenant")
    def unwritten(self, call: Call) -> Answer:
        """Changes a row outside of a write."""
        Tenant.objects.update(company_name="Sneaked in")
        return Answer(call.body)

    @changes(permission="tenants.override", throttle="platform", answer=Row, target="tenant")
    def refuse(self, call: Call) -> Answer:
        """Changes, then refuses."""
        tenant = Tenant.objects.latest("created_at")
        with write("note.refuse", actor=call.actor, target=tenant.audit_target()):
            Tenant.objects.filter(pk=tenant.pk).update(version=tenant.version + 1)
        raise Conflict("It is so already.")

    @changes(permission="tenants.override", throttle="platform", answer=Row, target="tenant")
    def held(self, call: Call) -> Answer:
        """Waits inside the transaction."""
        tenant = Tenant.objects.latest("created_at")
        with write("note.held", actor=call.actor, target=tenant.audit_target()):
            Tenant.objects.filter(pk=tenant.pk).update(company_name="Held")
            entered.set()
            gate.wait(10)
        return Answer({"held": True})

    @changes(permission="tenants.override", throttle="platform", answer=Row, target="tenant", outside=True)
    def outside(self, call: Call) -> Answer:
        """Two short writes around a call."""
        tenant = Tenant.objects.latest("created_at")
        for action in ("note.claim", "note.settle"):
            with write(action, actor=call.actor, target=tenant.audit_target()):
                tenant.version += 1
                Tenant.objects.filter(pk=tenant.pk).update(version=tenant.version)
        return Answer({"version": tenant.version})

    @changes(permission="tenants.override", throttle="platform", answer=Row, target="tenant")
    def forbidden(self, call: Call) -> Answer:
        """A service says no."""
        raise Forbidden(f"{call.actor.id} may not.", code="FORBIDDEN")

    @reads(permission="tenants.read", throttle="platform", answer=Row)
    def fail(self, call: Call) -> Answer:
        """Raises what is asked for."""
        raise _FAILURES[call.path["how"]]

    @reads(permission=OPEN, throttle="platform", answer=Row)
    def open(self, call: Call) -> Answer:
        """For everybody."""
        return Answer({"caller": call.principal.id if call.principal else None})


_FAILURES: dict[str, Exception] = {
    "database": OperationalError("server closed the connection unexpectedly"),
    "bug": RuntimeError("a secret detail"),
    "suspicious": SuspiciousOperation("odd"),
    "denied": PermissionDenied(),
    "sealed": Locked("The vault is sealed."),
}

urlpatterns = paths(
    [
        route(f"GET {PREFIX}", Notes, "list"),
        route(f"POST {PREFIX}", Notes, "create"),
        route(f"GET {PREFIX}/{{id}}", Notes, "retrieve"),
        route(f"PATCH {PREFIX}/{{id}}", Notes, "partial_update"),
        route(f"DELETE {PREFIX}/{{id}}", Notes, "destroy"),
        route(f"POST {PREFIX}/{{id}}/forgotten", Notes, "forgotten"),
        route(f"POST {PREFIX}/secret", Odd, "secret"),
        route(f"POST {PREFIX}/unwritten", Odd, "unwritten"),
        route(f"POST {PREFIX}/refuse", Odd, "refuse"),
        route(f"POST {PREFIX}/held", Odd, "held"),
        route(f"POST {PREFIX}/outside", Odd, "outside"),
        route(f"POST {PREFIX}/{{id}}/forbidden", Odd, "forbidden"),
        route(f"GET {PREFIX}/fail/{{how}}", Odd, "fail"),
        route(f"GET {PREFIX}/open", Odd, "open"),
    ]
)
handler400 = "apps.surfaces.kit.fallback.bad_request"
handler403 = "apps.surfaces.kit.fallback.permission_denied"
handler404 = "apps.surfaces.kit.fallback.not_found"
handler500 = "apps.surfaces.kit.fallback.server_error"
