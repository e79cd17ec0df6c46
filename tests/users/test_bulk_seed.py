"""`seed --size=large`, with a tiny world: what COPY puts there is what the services would have made."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import Model

from apps.audit.models import AuditDetail, AuditEntry, AuditHead
from apps.core.counts import kept_count
from apps.core.ids import USER, public
from apps.core.principal import system
from apps.tenants import facts, services
from apps.tenants.models import Tenant, TenantFacts
from apps.users.enums import MembershipRole
from apps.users.management import bulk, copying
from apps.users.management.bulk import World
from apps.users.management.commands import seed
from apps.users.models import Membership, User
from apps.users.services import add_membership, create_user

TENANTS, USERS = 200, 1_000


def _indexes() -> list[tuple[str, str]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace "
            "UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
        )
        found: list[tuple[str, str]] = cursor.fetchall()
        return found


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(seed, "LARGE", (TENANTS, USERS))
    return copying.world(TENANTS, USERS)


def _columns(row: Model) -> dict[str, type]:
    """What kind of value stands in each column; a null counts as one."""
    return {field.attname: type(getattr(row, field.attname)) for field in row._meta.concrete_fields}


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_copied_world_is_whole_chained_and_there_once(tiny: World) -> None:
    actor = system("seed").at(via="command", address=None)
    made = services.provision_tenant(
        actor=actor, company_name="Own", owner_email="o@own.example", plan="pro", slug="own", trial_days=0
    )
    person = create_user(actor=actor, email="a@own.example", name="A Own")
    add_membership(actor=actor, user_id=person.pk, tenant_id=made.tenant.pk, role=MembershipRole.MEMBER)
    before = _indexes()
    out = io.StringIO()
    call_command("seed", size="large", stdout=out)
    assert "2,000 rows of the trail: made in" in out.getvalue()
    assert _indexes() == before

    assert (Tenant.objects.count(), User.objects.count()) == (TENANTS + 1, USERS + 1)
    assert (kept_count(Tenant), kept_count(User)) == (TENANTS + 1, USERS + 1)
    assert Membership.objects.count() == USERS + 1
    assert TenantFacts.objects.filter(members=USERS // TENANTS).count() == TENANTS
    drift = facts.rebuild(actor=actor)
    assert {name: each.drifted for name, each in drift.items() if each.drifted} == {}

    copied = AuditEntry.objects.filter(resource_id__in=[public(USER, user.pk) for user in User.objects.all()])
    assert copied.count() == USERS + 1
    with pytest.raises(SystemExit) as verified:
        call_command("audit_verify", stdout=io.StringIO())
    assert verified.value.code == 0
    assert AuditHead.objects.count() == TENANTS + 2
    _same_shape_as_the_services_make(made.tenant, person)

    again = io.StringIO()
    call_command("seed", size="large", stdout=again)
    assert "are there already" in again.getvalue()
    with pytest.raises(copying.OtherRows):
        copying.load(copying.world(TENANTS, USERS + TENANTS))


def _same_shape_as_the_services_make(tenant: Tenant, person: User) -> None:
    copied = Tenant.objects.filter(slug__startswith="load-", status="active").first()
    assert copied is not None
    assert _columns(copied) == _columns(Tenant.objects.get(pk=tenant.pk))
    copied_person = User.objects.filter(
        email__endswith=f"@{copied.slug}.example", last_login=None, suspended_at=None, blocked_at=None
    ).first()
    assert copied_person is not None
    assert _columns(copied_person) == _columns(User.objects.get(pk=person.pk))
    for action in ("tenant.provision", "membership.add", "user.create"):
        both = AuditEntry.objects.filter(action=action)
        own = AuditEntry.objects.get(pk__in=both.filter(at__gt=bulk.EPOCH + timedelta(days=bulk.DAYS)))
        other = both.exclude(pk=own.pk).filter(**_like(action, copied, copied_person)).first()
        assert other is not None
        assert _columns(own) == _columns(other)
        for part in ("actor", "subject"):
            details = [AuditDetail.objects.get(entry=entry, part=part) for entry in (own, other)]
            assert _columns(details[0]) == _columns(details[1])
            bodies = [json.loads(detail.body) for detail in details]
            assert sorted(bodies[0]) == sorted(bodies[1])
            assert sorted(bodies[0].get("after", {})) == sorted(bodies[1].get("after", {}))


def _like(action: str, tenant: Tenant, person: User) -> dict[str, Any]:
    return {"person_id": person.pk} if action == "user.create" else {"tenant_id": tenant.pk}


@pytest.mark.django_db
def test_world_has_the_same_bytes_each_time(tiny: World) -> None:
    for lines in (bulk.tenants, bulk.people, bulk.memberships):
        assert list(lines(tiny)) == list(lines(tiny))
    first, second = (bulk.Chained(bulk.of_tenants(tiny)) for _ in range(2))
    assert list(first.lines()) == list(second.lines())
    assert first.heads == second.heads


@pytest.mark.django_db
def test_ids_are_those_that_the_surfaces_write_and_carry_their_time(tiny: World) -> None:
    for number in (0, 7, USERS - 1):
        one = UUID(tiny.user_id(number))
        assert one.version == 7
        assert f"{USER}_{bulk.ulid(one.hex)}" == public(USER, one)
        moment = datetime.fromtimestamp(int.from_bytes(one.bytes[:6], "big") / 1000, UTC)
        assert abs(moment - tiny.joined(number)) < timedelta(milliseconds=2)


@pytest.mark.django_db
def test_production_is_never_loaded(settings: Any) -> None:
    settings.ENVIRONMENT = "production"
    with pytest.raises(CommandError, match="production"):
        call_command("seed", size="large", force=True)
