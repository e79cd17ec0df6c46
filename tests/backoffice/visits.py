"""Visits to the back office: signed in as this or that role, over a world with a past."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.approvals.services import perform
from apps.audit.models import AuditEntry, AuditVerification
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.site import site
from apps.core import ids
from apps.core.clock import now
from apps.core.enums import JobEngine, JobStatus
from apps.core.ids import new_id
from apps.core.models import Job
from apps.core.write import Target
from apps.flags.models import FLAG, SEGMENT, FlagUsage
from apps.flags.services import OverrideFields, create_flag, schedule_change, set_override, update_flag
from apps.identity.services import link_identity
from apps.monitoring.models import HealthSample, HealthSource
from apps.plans.models import Plan
from apps.tenants.models import Purge, StatusChange, Tenant
from apps.users.models import User
from tests.factories import actor, make_flag, make_segment, make_staff, make_workspace
from tests.surfaces.places import Places, make_places
from tests.users.support import sign_in

ROLES = ("super_admin", "admin", "support", "finance", "ops", "qa")


def visitor(*roles: str, **fields: Any) -> Client:
    """A browser in which a staff member with these roles has signed in with two factors."""
    client = Client()
    sign_in(client, make_staff(*roles, **fields))
    return client


@dataclass(frozen=True, slots=True)
class World:
    """One object of each section: what stands for a real customer, and what for a test tenant."""

    places: Places
    live: dict[str, str]
    test: dict[str, str]


def make_world() -> World:
    places = make_places()
    staff = make_staff("admin", name="Zephyrine Quillon", email="zephyrine.staff@steward.example")
    request = _approval(staff)
    for place in (places.live, places.test):
        make_workspace(place.tenant)
        _job(place.tenant)
        _suspended_once(place.tenant)
        _known_elsewhere(place.user)
    shared = {
        "purges": Purge.objects.create(tenant_id=new_id(), slug="gone", removed={"tenants": 3}).public_id,
        "staff": staff.public_id,
        "plans": Plan.objects.earliest("price_monthly").public_id,
        "audit": str(AuditEntry.objects.filter(action="sample.note").latest("at").id),
        "jobs": ids.public(ids.JOB, Job.objects.latest("id").id),
        "approvals": request.public_id,
        "configuration": "tenant.session_idle_minutes",
        "verifications": _verified(),
        **_flags(places.live.tenant),
        "health": _watched(),
    }
    return World(
        places=places,
        live={"users": places.live.user.public_id, "tenants": places.live.tenant.public_id, **shared},
        test={"users": places.test.user.public_id, "tenants": places.test.tenant.public_id, **shared},
    )


def _watched() -> str:
    """A source that is down, after an hour of answers."""
    source = HealthSource.objects.create(
        service_id="zephyrine-billing",
        url="http://127.0.0.1:9/healthz?token=abcdefghijklmnop",
        critical=True,
        status="unhealthy",
        failures=3,
        last_checked_at=now(),
        latency_ms=41,
        message="It answers 503.",
    )
    HealthSample.objects.bulk_create(
        HealthSample(
            source=source, at=now() - timedelta(minutes=minute), is_good=minute > 3, latency_ms=minute
        )
        for minute in range(1, 61)
    )
    return str(source.id)


def _verified() -> str:
    """A night's verification that found something."""
    row = AuditVerification.objects.create(
        started_at=now(),
        finished_at=now(),
        verdict="broken",
        chains=3,
        rows=40,
        anchors=2,
        newest_anchor=2,
        findings=["platform: broken at row 7: its content was changed"],
        asked_by="scheduler",
    )
    return row.public_id


def _flags(tenant: Tenant) -> dict[str, str]:
    """A flag with all that a page of one shows, and its segment; one that it needs."""
    segment = make_segment()
    make_flag("payments")
    split = [{"variation": "on", "weight": 30}, {"variation": "off", "weight": 70}]
    flag = create_flag(
        actor=actor(),
        key="checkout.new-form",
        fields={
            "description": "The new form of the checkout",
            "owner": "team checkout",
            "tags": ["checkout", "q4"],
            "expiresAt": now() + timedelta(days=3),
            "rules": [
                {"name": "friends", "conditions": [{"segment": segment.key}], "variation": "on"},
                {
                    "conditions": [
                        {"attribute": "plan", "operator": "in", "value": ["pro", "growth"]},
                        {"attribute": "userId", "operator": "exists", "value": True},
                    ],
                    "split": split,
                    "contextKey": "userId",
                },
            ],
            "rollout": {"percentage": 12.5},
            "prerequisites": [{"key": "payments", "variation": "on"}],
        },
    )
    set_override(
        actor=actor(), key=flag.key, tenant_id=tenant.id, fields=OverrideFields(enabled=True, reason="asked")
    )
    update_flag(actor=actor(), key=flag.key, fields={"defaultEnabled": True})
    schedule_change(
        actor=actor(), key=flag.key, at=now() + timedelta(days=1), change={"rollout": {"percentage": 50}}
    )
    FlagUsage.objects.create(flag=flag, hour=now(), variation="on", count=1234)
    return {"flags": ids.public(FLAG, flag.id), "segments": ids.public(SEGMENT, segment.id)}


def _approval(person: User) -> ApprovalRequest:
    """Somebody asked for super_admin, in the back office."""
    outcome = perform(
        "users.grant_super_admin",
        actor=make_staff("super_admin").principal(via="backoffice", address="198.51.100.77"),
        params={"user_id": person.public_id, "roles": ["super_admin"], "version": person.version},
        target=Target(type="user", id=person.public_id, person_id=person.pk),
        reason="asked by zephyrine.q@acme.example",
    )
    return outcome.request  # type: ignore[union-attr]  # the policy wants a second person


def _job(tenant: Tenant) -> None:
    Job.objects.create(
        id=new_id(),
        name="tenants.purge",
        engine=JobEngine.RQ,
        queue="operator",
        args={"purge_id": str(new_id()), "api_key": "sk_live_abcdefghijklmnop0123456789"},
        status=JobStatus.FAILED,
        finished_at=now(),
        error={"message": "mail to zephyrine.q@acme.example bounced", "stack_trace": "Traceback: token=abc"},
        actor=actor().to_json(),
        tenant_id=tenant.id,
    )


def _suspended_once(tenant: Tenant) -> None:
    StatusChange.objects.create(
        tenant=tenant,
        from_status="active",
        to_status="suspended",
        actor_id="usr_00000000000000000000000000",
        reason="Zephyrine Quillon wrote from zephyrine.q@acme.example",
    )


def _known_elsewhere(user: User) -> None:
    """Another issuer knows the person, by their address."""
    link_identity(
        actor=actor().at(via="command", address="198.51.100.77"),
        user=user,
        issuer="https://login.acme.example/realms/main",
        subject=user.email,
        reason="asked by zephyrine.q@acme.example",
    )


@dataclass(frozen=True, slots=True)
class Page:
    """One address, and the permissions that it asks for (all of them)."""

    name: str
    url: str
    permissions: tuple[str, ...]
    reaches: bool = False  # an object's: `qa` finds only what is of a test tenant


def pages(objects: dict[str, str]) -> Iterator[Page]:
    """Every page of every section: list, suggestions, each tab, each dialog."""
    for section in site.sections:
        yield from _of(section, objects.get(section.path))


def _of(section: ModelAdmin, public_id: str | None) -> Iterator[Page]:
    path, own = section.path, section.permission
    yield Page(path, reverse(f"backoffice:{path}"), (own,))
    yield Page(f"{path}: suggestions", reverse(f"backoffice:{path}-suggest") + "?q=zephyrine", (own,))
    for dialog in section.list_dialogs:
        yield Page(
            f"{path}: {dialog.name}", reverse(f"backoffice:{path}-{dialog.name}"), (dialog.permission,)
        )
    if public_id is None:  # a section whose objects belong to who asked for them: its own tests visit them
        return
    page = reverse(f"backoffice:{path}-page", args=[public_id])
    for tab in [*section.tabs, *site.tabs_for(path)]:
        needed = (own, tab.permission) if tab.permission else (own,)
        yield Page(f"{path}: tab {tab.name}", f"{page}?tab={tab.name}", needed, reaches=True)
    for dialog in section.page_dialogs():
        url = reverse(f"backoffice:{path}-{dialog.name}", args=[public_id])
        yield Page(f"{path}: {dialog.name}", url, (own, dialog.permission), reaches=True)
