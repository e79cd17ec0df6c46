"""Whatever is done to the trail by whoever owns the database is found, and nothing else ever is.

Trails over several chains are made once by real writes; each example takes one of them, anchored in part, changes it
as the owner in a way that hypothesis chooses, looks, and undoes the change.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit.anchors.checking import check_anchors, known_anchors
from apps.audit.anchors.taking import take_anchor
from apps.audit.enums import Verdict
from apps.audit.examination import examine
from apps.audit.models import AuditDetail
from apps.audit.reading import Reader
from apps.audit.services import chain_of, shred
from apps.audit.verification import Break, verify_read
from apps.core.ids import USER, new_id, public
from apps.core.principal import Principal, PrincipalKind, system
from apps.core.write import Target, write
from tests.audit.tampers import (
    SEEN_BY_ANCHORS,
    SEEN_BY_CHAINS,
    Link,
    Trail,
    insert,
    rehash,
    stored,
)
from tests.database import owner_link

pytestmark = pytest.mark.django_db(transaction=True)


def _append(tenant_id: Any, number: int) -> None:
    person = new_id()
    who = Principal(PrincipalKind.STAFF, id=public(USER, person), label=f"{number}@x.example", user_id=person)
    target = Target(type="thing", id=f"thing-{number}", tenant_id=tenant_id, person_id=new_id())
    with write("thing.change", actor=who, target=target, reason=f"case {number}") as w:
        w.changed(before={"size": number}, after={"size": number + 1, "name": "Jürgen"})
        w.note(number=number, ratio=0.1)


@pytest.fixture
def trail(own_store: Path) -> Trail:
    """Three chains; the newest anchor covers all but the last two rows of each tenant's."""
    tenants = [None, new_id(), new_id()]
    for tenant in tenants:
        for number in range(4):
            _append(tenant, number)
    take_anchor(actor=system("test"))
    _append(tenants[1], 5)
    take_anchor(actor=system("test"))
    anchored = _lengths()
    for tenant in tenants[1:]:
        for number in range(2):
            _append(tenant, 10 + number)
    assert examine(anchors=True).verdict is Verdict.INTACT
    return Trail({name: length for name, length in _lengths().items() if name != chain_of(None)}, anchored)


def _lengths() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT chain, seq FROM audit_head")
        return dict(cursor.fetchall())


_cursors = itertools.count()


@contextmanager
def tampering() -> Iterator[tuple[Link, Reader]]:
    """A transaction of the owner, a reader that sees what is done in it, and no trace of it afterwards."""
    with owner_link(connection.settings_dict["NAME"]) as link, link.transaction(force_rollback=True):
        yield link, Reader(lambda: link.cursor(name=f"look_{next(_cursors)}"))


def breaks(reader: Reader) -> list[Break]:
    return [report.broken for report in verify_read(reader) if report.broken is not None]


EXAMPLES = int(os.environ.get("STEWARD_TAMPERINGS", "6"))
each = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("tamper", SEEN_BY_CHAINS, ids=lambda tamper: str(tamper.__name__))
def test_trail_tampered_with_is_found_broken(trail: Trail, tamper: Callable[..., None]) -> None:
    @each
    @given(st.data())
    def example(data: st.DataObject) -> None:
        with tampering() as (link, reader):
            tamper(link, trail, data.draw)
            assert breaks(reader)

    example()
    assert examine(anchors=True).verdict is Verdict.INTACT


@pytest.mark.parametrize("tamper", SEEN_BY_ANCHORS, ids=lambda tamper: str(tamper.__name__))
def test_trail_written_anew_is_found_by_its_anchors(trail: Trail, tamper: Callable[..., None]) -> None:
    @each
    @given(st.data())
    def example(data: st.DataObject) -> None:
        with tampering() as (link, reader):
            tamper(link, trail, data.draw)
            assert breaks(reader) == []
            assert check_anchors(reader, known_anchors()).wrong

    example()
    assert examine(anchors=True).verdict is Verdict.INTACT


@settings(
    max_examples=max(4, EXAMPLES // 2),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.sampled_from(["append", "append", "anchor", "shred", "verify"]), max_size=12))
def test_trail_that_nobody_tampered_with_never_raises_an_alarm(own_store: Path, steps: list[str]) -> None:
    tenants = [None, new_id(), new_id()]
    for number, step in enumerate(steps):
        if step == "append":
            _append(tenants[number % 3], number)
        elif step == "anchor":
            take_anchor(actor=system("test"))
        elif step == "shred":
            _shred_somebody()
        else:
            assert examine(anchors=True).verdict is Verdict.INTACT
    assert examine(anchors=True).verdict is Verdict.INTACT


def _shred_somebody() -> None:
    """Removes what the trail tells of the first person in it."""
    person = AuditDetail.objects.filter(person_id__isnull=False).values_list("person_id", flat=True).first()
    if person is not None:
        with write("user.erase", actor=system("test"), target=Target(type="user", id="x")):
            shred(actor=system("test"), person_id=person, public_id=public(USER, person))


def test_forged_rows_at_the_end_are_beyond_what_hashes_show(trail: Trail) -> None:
    """Who owns the database can append as the function does: written down here, since it is no secret."""
    with tampering() as (link, reader):
        chain = min(trail.lengths)
        last = trail.lengths[chain]
        row = stored(link, chain, last) | {"id": new_id(), "seq": last + 1}
        insert(link, row)
        rehash(link, chain, last + 1)
        assert breaks(reader) == []
        assert check_anchors(reader, known_anchors()).wrong == 0
