"""Kept numbers of rows: exact after every kind of change, and nobody waits for another's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from apps.core.counts import kept_count, kept_parts
from apps.core.ids import new_id
from apps.core.models import RowCount
from apps.plans.models import Plan
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Tenant
from apps.users.models import User
from tests.database import owner_link
from tests.factories import make_tenant, make_user


def agrees() -> bool:
    return kept_count(User) == User.objects.count() and kept_count(Tenant) == Tenant.objects.count()


def _people(count: int) -> list[User]:
    return [User(id=new_id(), email=f"{new_id().hex}@people.example", password="x") for _ in range(count)]


@pytest.mark.django_db
def test_number_is_that_of_the_rows_after_every_kind_of_change() -> None:
    assert kept_count(User) == 0
    make_tenant()
    User.objects.bulk_create(_people(5))
    User.objects.bulk_create([*_people(1), User.objects.all()[0]], ignore_conflicts=True)
    assert (kept_count(User), agrees()) == (6, True)
    with transaction.atomic():
        make_user()
        transaction.set_rollback(True)
    User.objects.update(name="Renamed")
    assert kept_count(User) == 6
    make_user().delete()
    User.objects.filter(pk__in=User.objects.values("pk")[:2]).delete()
    assert (kept_count(User), agrees()) == (4, True)
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY users_user (id, email, name, password, notes, version) FROM STDIN") as copy,
    ):
        for person in _people(3):
            copy.write_row((str(person.pk), person.email, "", "x", "", 1))
    assert (kept_count(User), agrees()) == (7, True)


@pytest.mark.django_db
def test_number_of_each_part_is_that_of_its_rows_after_every_kind_of_change() -> None:
    starter, growth = Plan.objects.order_by("slug")[:2]

    def held() -> tuple[int, int]:
        kept = kept_parts(Tenant)
        counted = [
            Tenant.objects.filter(effective_plan=plan).exclude(status=TenantStatus.CANCELLED).count()
            for plan in (starter, growth)
        ]
        assert [kept.get(str(plan.id), 0) for plan in (starter, growth)] == counted
        assert kept_count(Tenant) == Tenant.objects.count()
        return counted[0], counted[1]

    some = [make_tenant(effective_plan=plan) for plan in (starter, starter, starter, growth)]
    assert held() == (3, 1)
    Tenant.objects.filter(pk__in=[some[0].pk, some[1].pk]).update(effective_plan=growth)
    assert held() == (1, 3)
    Tenant.objects.filter(pk=some[3].pk).update(status=TenantStatus.CANCELLED)
    assert held() == (1, 2)
    Tenant.objects.filter(pk=some[3].pk).update(status=TenantStatus.ACTIVE, effective_plan=starter)
    assert held() == (2, 2)
    Tenant.objects.update(company_name="Renamed")
    with transaction.atomic():
        Tenant.objects.update(effective_plan=starter)
        assert held() == (4, 0)
        transaction.set_rollback(True)
    some[0].delete()
    assert held() == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_number_is_right_after_many_at_once_and_after_truncation() -> None:
    def change(number: int) -> None:
        try:
            for _ in range(5):
                person = make_user()
                if number % 2:
                    person.delete()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, range(6)))
    assert (kept_count(User), agrees()) == (15, True)
    with owner_link(connection.settings_dict["NAME"]) as link:
        link.execute("TRUNCATE users_user, tenants_tenant CASCADE")
    assert (kept_count(User), agrees(), kept_parts(Tenant)) == (0, True, {})
    make_user()
    assert kept_count(User) == 1


@pytest.mark.django_db(transaction=True)
def test_writer_waits_for_no_other_that_has_not_committed() -> None:
    # A slot for every remainder that a connection can have.
    RowCount.objects.filter(table="users_user").delete()
    RowCount.objects.bulk_create([RowCount(table="users_user", slot=slot, rows=0) for slot in range(64)])
    with owner_link(connection.settings_dict["NAME"]) as link, link.transaction():
        link.execute("SELECT * FROM core_row_count FOR UPDATE")
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            make_user()
    assert (kept_count(User), agrees()) == (1, True)
