"""Kept numbers of rows: exact after every kind of change, and nobody waits for another's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from apps.core.counts import kept_count
from apps.core.ids import new_id
from apps.core.models import RowCount
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
        link.execute("TRUNCATE users_user CASCADE")
    assert (kept_count(User), agrees()) == (0, True)
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
