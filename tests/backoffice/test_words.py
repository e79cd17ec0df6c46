"""What pages say: figures with their words, changes without what is not there, people by name."""

from typing import Any

import pytest

from apps.approvals.models import ApprovalRequest
from apps.approvals.services import perform
from apps.backoffice import cells
from apps.backoffice.blocks import changes
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core.clock import now
from apps.core.write import Target
from apps.users.models import User
from tests.backoffice.visits import visitor
from tests.factories import make_staff, make_user


@pytest.mark.parametrize(
    ("count", "noun", "plural", "said"),
    [
        (1, "tenant", "", "1 tenant"),
        (0, "tenant", "", "0 tenants"),
        (1204, "tenant", "", "1,204 tenants"),
        (2, "entry", "entries", "2 entries"),
    ],
)
def test_figure_agrees_with_its_word(count: int, noun: str, plural: str, said: str) -> None:
    assert cells.counted(count, noun, plural) == said


def test_change_from_nothing_says_so_and_lists_of_objects_are_json() -> None:
    was, made = {"status": "active"}, {"status": "suspended", "rules": [{"on": True}], "tags": ["a", "b"]}
    told = {each.key: (each.was_nothing, each.after) for each in changes(was, made)}
    assert told == {
        "status": (False, "suspended"),
        "rules": (True, '{"on": true}'),
        "tags": (True, "a, b"),
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("usr_01M7ZTR2XKE8298YZG6Y2NTYEH", "usr_…Y2NTYEH"),
        ("checkout.new-form", ">checkout.new-form<"),
        ("new_checkout_form", ">new_checkout_form<"),
    ],
)
def test_ids_alone_are_shortened(value: str, shown: str) -> None:
    assert shown in cells.ident(value)


def ask_for(person: User, asker: User) -> ApprovalRequest:
    outcome = perform(
        "users.grant_super_admin",
        actor=asker.principal(via="backoffice", address=None),
        params={"user_id": person.public_id, "roles": ["super_admin"], "version": person.version},
        target=Target(type="user", id=person.public_id, person_id=person.pk),
        reason="ticket 4711",
    )
    return outcome.request  # type: ignore[union-attr]  # the policy wants a second person


@pytest.mark.django_db
def test_approval_names_who_asked_and_whom_it_is_about() -> None:
    asker = make_staff("super_admin", name="Asa Asker")
    request = ask_for(make_staff("ops", name="Pia Promoted", email="pia@steward.example"), asker)
    client = visitor("super_admin")
    listed = client.get("/backoffice/approvals/").content.decode()
    assert "Asa Asker" in listed
    assert "Pia Promoted" in listed
    page = client.get(f"/backoffice/approvals/{request.public_id}/").content.decode()
    assert "Asa Asker" in page
    assert "Pia Promoted" in page
    assert "Give pia@steward.example exactly the role super_admin." in page


@pytest.mark.django_db
def test_names_of_staff_are_read_once_a_page_and_masked_like_everything(
    django_assert_num_queries: Any,
) -> None:
    staff = [make_staff("ops", name=f"Otto Weiss{number}") for number in range(3)]
    stranger = make_user(name="Sam Stranger")
    seen = Seen(make_staff("support").principal(via="backoffice", address=None), "users.read")
    with django_assert_num_queries(1):
        told = [site.actor(each.public_id, seen) for each in (*staff, stranger)]
    assert all("O*** W***" in each for each in told[:3]), told
    assert "Sam" not in told[3]
    assert site.actor("scheduler", seen) == "scheduler"
    assert ">you<" in site.actor(seen.principal.id, seen)
    finance = Seen(make_staff("finance").principal(via="backoffice", address=None), "tenants.read")
    assert "href" not in site.actor(staff[0].public_id, finance)
    assert "Otto Weiss0" in site.actor(staff[0].public_id, finance)


@pytest.mark.django_db
def test_object_beyond_the_readers_reach_is_named_by_its_id_alone() -> None:
    person = make_user(name="Una Unseen")
    for role, name in (("super_admin", True), ("finance", False), ("qa", False)):
        seen = Seen(make_staff(role).principal(via="backoffice", address=None), "tenants.read")
        told = site.named(person.public_id, seen)
        assert ("Una Unseen" in told) is name, role
        assert person.public_id in told


@pytest.mark.django_db
def test_people_locked_out_are_listed_whichever_way_they_are() -> None:
    make_user(name="Susi Suspended", suspended_at=now())
    make_user(name="Bo Blocked", blocked_at=now())
    make_user(name="Ana Active")
    client = visitor("admin")
    assert "?status=locked-out" in client.get("/backoffice/").content.decode()
    page = client.get("/backoffice/users/?status=locked-out").content.decode()
    assert "Susi Suspended" in page
    assert "Bo Blocked" in page
    assert "Ana Active" not in page
