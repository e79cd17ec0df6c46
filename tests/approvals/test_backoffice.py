"""The approvals' pages and dialogs."""

import pytest
from django.test import Client

from apps.approvals.models import ApprovalRequest
from apps.core.clock import now
from apps.users.models import User
from tests.backoffice.visits import visitor
from tests.factories import make_staff
from tests.users.support import sign_in

pytestmark = pytest.mark.django_db


def roles(user: User) -> frozenset[str]:
    return User.objects.select_related("staff").get(pk=user.pk).staff_roles


def test_super_admin_is_given_by_two_people_through_the_dialogs() -> None:
    asker, user = make_staff("super_admin"), make_staff("ops", name="Olga Ops")
    first = Client()
    sign_in(first, asker)
    answer = first.post(
        f"/backoffice/staff/{user.public_id}/roles/",
        {"staff_roles": ["super_admin", "ops"], "reason": "she is on call"},
        follow=True,
    )
    assert "needs a second person" in answer.content.decode()
    assert roles(user) == {"ops"}
    row = ApprovalRequest.objects.get()
    page = f"/backoffice/approvals/{row.public_id}/"
    own = first.get(page).content.decode()
    assert "This is your own request" in own
    assert bytes(row.params_hash).hex() in own
    refused = first.post(f"{page}approve/", {"reason": "I agree with myself"})
    assert (refused.status_code, "Another person must decide" in refused.content.decode()) == (403, True)
    assert "Approvals waiting" not in first.get("/backoffice/").content.decode()

    second = visitor("super_admin")
    assert "Approvals waiting for you" in second.get("/backoffice/").content.decode()
    done = second.post(f"{page}approve/", {"reason": "she is"}, follow=True)
    assert "Approved and executed" in done.content.decode()
    assert roles(user) == {"ops", "super_admin"}
    assert f'href="{page}approve/"' not in second.get(page).content.decode()
    late = second.post(f"{page}reject/", {"reason": "too late now"})
    assert (late.status_code, "decided already" in late.content.decode()) == (409, True)


def test_page_says_that_whoever_asked_may_do_it_no_longer() -> None:
    asker, user, second = make_staff("super_admin"), make_staff("ops"), visitor("super_admin")
    first = Client()
    sign_in(first, asker)
    first.post(
        f"/backoffice/staff/{user.public_id}/roles/", {"staff_roles": ["super_admin"], "reason": "please"}
    )
    page = f"/backoffice/approvals/{ApprovalRequest.objects.get().public_id}/"
    assert "may do it no longer" not in second.get(page).content.decode()
    User.objects.filter(pk=asker.pk).update(suspended_at=now())
    assert "may do it no longer" in second.get(page).content.decode()
    done = second.post(f"{page}approve/", {"reason": "she is"}, follow=True)
    assert "could not be executed: Whoever asked" in done.content.decode()
    assert roles(user) == {"ops"}


def test_rejection_changes_nothing() -> None:
    user, first, second = make_staff("ops"), visitor("super_admin"), visitor("super_admin")
    first.post(
        f"/backoffice/staff/{user.public_id}/roles/", {"staff_roles": ["super_admin"], "reason": "please"}
    )
    row = ApprovalRequest.objects.get()
    second.post(f"/backoffice/approvals/{row.public_id}/reject/", {"reason": "not now"})
    row.refresh_from_db()
    assert (row.status, row.decision_reason) == ("rejected", "not now")
    assert roles(user) == {"ops"}
    listed = second.get("/backoffice/approvals/?status=rejected").content.decode()
    assert "Give the role super_admin" in listed


def test_new_super_admin_is_refused_with_what_to_do_instead() -> None:
    answer = visitor("super_admin").post(
        "/backoffice/staff/create/",
        {"email": "new@steward.example", "staff_roles": ["super_admin"], "reason": "a new colleague"},
    )
    assert answer.status_code == 403
    assert "add them without it" in answer.content.decode()
    assert not User.objects.filter(email="new@steward.example").exists()
