"""Statements written by hand: values, instances, errors and counts are as the ORM's."""

from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import now
from apps.core.counts import kept_count
from apps.core.ids import new_id
from apps.core.models import Job, LiveTopic
from apps.core.statements import Columns, Insertion, Statement, Update
from apps.tenants.models import PlanOverride, Tenant, TenantFacts
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


def test_columns_of_two_tables_give_the_instances_that_the_orm_gives() -> None:
    tenant = make_tenant()
    TenantFacts.objects.filter(tenant=tenant).update(usage={"emails_this_month": 3})
    columns = Columns(t=Tenant, f=TenantFacts)
    statement = Statement(
        "SELECT {columns} FROM tenants_tenant t JOIN tenants_facts f ON f.tenant_id = t.id WHERE t.id = %s",
        columns,
    )
    for _ in range(3):  # the second time it is prepared
        row = statement.row(tenant.pk)
        assert row is not None
        found, facts = columns.read(row)
    for kept, expected in ((found, Tenant.objects.get(pk=tenant.pk)), (facts, TenantFacts.objects.get())):
        for field in expected._meta.concrete_fields:
            assert getattr(kept, field.attname) == getattr(expected, field.attname), field.name


def test_table_that_an_outer_join_left_empty_gives_none() -> None:
    columns = Columns(j=Job, t=LiveTopic)
    statement = Statement(
        "SELECT {columns} FROM (VALUES (1)) AS always LEFT JOIN core_job j ON j.id = %s "
        "LEFT JOIN core_live_topic t ON t.name = 'no-such-topic'",
        columns,
    )
    row = statement.row(new_id())
    assert row is not None
    assert columns.read(row) == [None, None]


def test_statement_is_counted_and_fails_as_a_query_of_the_orm() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert Statement("SELECT %s::uuid").row(UUID(int=1)) == (UUID(int=1),)
        assert Statement("SELECT %s::uuid WHERE false").row(UUID(int=1)) is None
    assert [query["sql"] for query in queries] == ["SELECT %s::uuid", "SELECT %s::uuid WHERE false"]
    with pytest.raises(DatabaseError):
        Statement("SELECT 1 / %s").row(0)


def test_kept_number_of_rows_follows_insert_delete_rollback_and_truncate() -> None:
    assert kept_count(Tenant) == Tenant.objects.count() == 0
    some = [make_tenant() for _ in range(3)]
    assert kept_count(Tenant) == 3
    TenantFacts.objects.filter(tenant=some[0]).delete()
    Tenant.objects.filter(pk=some[0].pk).delete()
    assert kept_count(Tenant) == Tenant.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT here")
        cursor.execute("DELETE FROM tenants_facts")
        cursor.execute("DELETE FROM tenants_tenant")
        assert kept_count(Tenant) == 0
        cursor.execute("ROLLBACK TO SAVEPOINT here")
    assert kept_count(Tenant) == 2


def test_written_instance_is_the_row_that_the_orm_would_have_written() -> None:
    tenant = make_tenant()
    given = {
        "tenant": tenant,
        "custom_pricing": True,
        "price_monthly": 4900,
        "limits": {"max_users": 7},
        "actor_id": "usr_x",
        "reason": "agreed",
        "effective_at": now(),
        "ends_at": None,
        "lifted_at": now(),
        "created_at": now(),
    }
    ours, theirs = PlanOverride(id=new_id(), **given), PlanOverride(id=new_id(), **given)
    Insertion(PlanOverride).add(ours)
    theirs.save(force_insert=True)
    kept, expected = PlanOverride.objects.get(pk=ours.pk), PlanOverride.objects.get(pk=theirs.pk)
    for field in expected._meta.concrete_fields:
        if not field.primary_key:
            assert getattr(kept, field.attname) == getattr(expected, field.attname), field.name
    kept.limits, kept.reason, kept.actor_id = {"max_users": None}, "changed", "not written"
    Update(PlanOverride, "limits", "reason").keep(kept)
    kept.refresh_from_db()
    assert (kept.limits, kept.reason, kept.actor_id) == ({"max_users": None}, "changed", "usr_x")
    with pytest.raises(IntegrityError):
        Insertion(PlanOverride).add(ours)
