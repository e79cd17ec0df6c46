"""Whoever asked must still be able to do it when a second person says yes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from apps.approvals import services
from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.principal import Principal
from apps.core.write import Target
from apps.plans.models import Plan
from apps.users.models import StaffMember, User
from tests.approvals.conftest import ACTION, Policies
from tests.factories import make_user, staff_principal

pytestmark = pytest.mark.django_db


def ask(asker: Principal) -> ApprovalRequest:
    plan_id = Plan.objects.get(slug="starter").public_id
    outcome = services.perform(
        ACTION,
        actor=replace(asker, via="backoffice"),
        params={"plan_id": plan_id, "name": "Renamed"},
        target=Target(type="plan", id=plan_id),
    )
    assert isinstance(outcome, services.Pending)
    return outcome.request


def approve(row: ApprovalRequest) -> ApprovalRequest:
    return services.approve_request(actor=staff_principal("super_admin"), request_id=row.id)


@pytest.mark.parametrize(
    "stop",
    [
        lambda user: User.objects.filter(pk=user).update(suspended_at=now()),
        lambda user: User.objects.filter(pk=user).update(blocked_at=now()),
        lambda user: StaffMember.objects.filter(user=user).update(is_active=False),
        lambda user: StaffMember.objects.filter(user=user).update(roles=["admin"]),
        lambda user: User.objects.filter(pk=user).delete(),
    ],
    ids=["suspended", "blocked", "no longer staff", "lost the role", "gone"],
)
def test_request_of_somebody_who_may_it_no_longer_is_closed_and_changes_nothing(
    stop: Callable[[object], object],
) -> None:
    asker = staff_principal("super_admin")
    row = ask(asker)
    stop(asker.user_id)
    closed = approve(row)
    assert closed.error is not None
    assert (closed.status, closed.error["code"]) == ("failed", "APPROVAL_REQUESTER_STOPPED")
    assert Plan.objects.get(slug="starter").name != "Renamed"
    entry = AuditEntry.objects.get(action=ACTION)
    assert (entry.outcome, entry.metadata["error"]) == ("failure", "APPROVAL_REQUESTER_STOPPED")


def test_request_of_a_person_by_token_or_of_a_machine_is_executed(policies: Policies) -> None:
    policies.values[f"approvals.{ACTION}"] = "always"
    person = make_user()
    for asker in (
        person.principal(via="service", address=None),
        replace(staff_principal("super_admin"), user_id=None),
    ):
        assert approve(ask(asker)).status == "executed"
        Plan.objects.filter(slug="starter").update(name="Starter")
    row = ask(person.principal(via="service", address=None))
    User.objects.filter(pk=person.pk).update(suspended_at=now())
    assert approve(row).status == "failed"
