"""A second person: asked, refused, raced for, forged."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from apps.approvals import selectors, services
from apps.approvals.enums import ApprovalStatus
from apps.approvals.errors import (
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotFound,
    ApprovalRequired,
    ApprovalTampered,
    OwnApproval,
)
from apps.approvals.models import ApprovalRequest
from apps.approvals.querysets import visible_to
from apps.approvals.registry import known_action
from apps.audit.models import AuditEntry
from apps.core import aspects, live
from apps.core.clock import now
from apps.core.errors import Conflict, Forbidden, Unavailable
from apps.core.ids import new_id
from apps.core.jobs.registry import job_type
from apps.core.principal import Principal, PrincipalKind, system
from apps.core.write import Target, unit
from apps.plans.models import Plan
from tests.approvals.conftest import ACTION, Policies
from tests.core.processes import in_threads
from tests.database import owner_link
from tests.factories import staff_principal


def person(*roles: str, via: str = "backoffice") -> Principal:
    return replace(staff_principal(*roles), via=via)


def plan() -> Plan:
    return Plan.objects.get(slug="starter")


def perform(actor: Principal, name: str = "Renamed", **changes: Any) -> Any:
    target = Target(type="plan", id=plan().public_id, **changes)
    params = {"plan_id": plan().public_id, "name": name}
    return services.perform(ACTION, actor=actor, params=params, target=target, reason="a better name")


def ask(actor: Principal | None = None, **changes: Any) -> ApprovalRequest:
    outcome = perform(actor or person(), **changes)
    assert isinstance(outcome, services.Pending)
    return ApprovalRequest.objects.get(id=outcome.request.id)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("at", "seq").values_list("action", flat=True))


@pytest.mark.django_db
def test_perform_over_a_documented_route_does_it_at_once() -> None:
    outcome = perform(person(via="platform"))
    assert outcome == services.Executed("Renamed")
    assert plan().name == "Renamed"
    assert actions() == ["plan.rename"]


@pytest.mark.django_db
def test_perform_in_the_back_office_asks_and_changes_nothing_else() -> None:
    before, topic = plan().name, live.revision("tests")
    outcome = perform(person())
    assert isinstance(outcome, services.Pending)
    assert outcome.body() == {"approval_id": outcome.request.public_id, "status": "pending_approval"}
    assert outcome.request.public_id.startswith("apr_")
    assert plan().name == before
    assert live.revision("tests") == topic
    assert actions() == ["approval.request"]
    assert AuditEntry.objects.get().resource_type == "approval"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("policy", "via", "asks"),
    [
        ("off", "backoffice", False),
        ("backoffice", "backoffice", True),
        ("backoffice", "platform", False),
        ("always", "platform", True),
        ("always", "automation", True),
    ],
)
def test_policy_decides_by_door(policies: Policies, policy: str, via: str, asks: bool) -> None:
    policies.values[f"approvals.{ACTION}"] = policy
    assert isinstance(perform(person(via=via)), services.Pending) is asks
    assert services.is_required(ACTION, actor=system("bootstrap")) is False


@pytest.mark.django_db
def test_guard_refuses_whoever_goes_past_perform() -> None:
    with pytest.raises(ApprovalRequired):
        services.guard(ACTION, actor=person())
    services.guard(ACTION, actor=person(via="platform"))


@pytest.mark.django_db
def test_approval_executes_with_the_frozen_parameters_under_the_name_of_the_action(
    executing: Callable[[Any], None],
) -> None:
    seen: list[Any] = []

    def watch(*, actor: Principal, params: dict[str, Any], reason: str) -> None:
        services.guard(ACTION, actor=actor)
        seen.append((actor.id, params, reason))

    executing(watch)
    asker, decider = person(), person()
    row = ask(asker)
    decided = services.approve_request(actor=decider, request_id=row.id, reason="fine")
    assert decided.status == ApprovalStatus.EXECUTED
    assert seen[-1] == (decider.id, {"plan_id": plan().public_id, "name": "Renamed"}, "a better name")
    entry = AuditEntry.objects.get(action=ACTION)
    assert (entry.actor_id, entry.resource_type, entry.resource_id) == (decider.id, "plan", plan().public_id)
    assert entry.metadata == {"approval": row.public_id, "requested_by": asker.id}
    with pytest.raises(ApprovalDecided):
        services.approve_request(actor=person(), request_id=row.id)
    assert len(seen) == 2  # rehearsed when it was asked for, executed once


@pytest.mark.django_db
def test_approval_really_changes_and_touches() -> None:
    row, topic = ask(), live.revision("tests")
    services.approve_request(actor=person(), request_id=row.id)
    assert plan().name == "Renamed"
    assert live.revision("tests") == topic + 1
    assert actions() == ["approval.request", ACTION]


@pytest.mark.django_db
def test_own_request_is_never_approved_nor_rejected_by_whatever_door() -> None:
    asker = person()
    row = ask(asker)
    token = Principal(
        kind=PrincipalKind.STAFF,
        id="https://issuer|42",
        user_id=asker.user_id,
        roles=asker.roles,
        via="platform",
    )
    for same in (asker, token):
        with pytest.raises(OwnApproval):
            services.approve_request(actor=same, request_id=row.id)
        with pytest.raises(OwnApproval):
            services.reject_request(actor=same, request_id=row.id)
    assert ApprovalRequest.objects.get().status == ApprovalStatus.PENDING
    assert actions() == ["approval.request"]


@pytest.mark.django_db
@pytest.mark.parametrize("same", ["id", "user"])
def test_database_refuses_a_decision_of_the_requester(same: str) -> None:
    asker = person()
    row = ask(asker)
    decisions: dict[str, dict[str, Any]] = {
        "id": {"decided_by": asker.id, "decided_by_user_id": new_id()},
        "user": {"decided_by": "somebody else", "decided_by_user_id": asker.user_id},
    }
    with pytest.raises(IntegrityError, match="approval_by_another_person"), transaction.atomic():
        ApprovalRequest.objects.filter(id=row.id).update(
            status=ApprovalStatus.REJECTED, decided_at=now(), **decisions[same]
        )


@pytest.mark.django_db
def test_decision_without_the_rights_is_refused() -> None:
    row = ask()
    for powerless in (
        person("admin"),
        person("support", "ops"),
        system("jobs"),
        replace(person(), user_id=None),
    ):
        with pytest.raises(Forbidden):
            services.approve_request(actor=powerless, request_id=row.id)
        with pytest.raises(Forbidden):
            services.reject_request(actor=powerless, request_id=row.id)
    with pytest.raises(Forbidden):
        perform(person("admin"))
    with pytest.raises(ApprovalNotFound):
        services.approve_request(actor=person(), request_id=new_id())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "column", ["params", "params_hash", "action", "requested_by", "expires_at", "target_id"]
)
def test_application_role_changing_what_was_asked_for_is_refused(column: str) -> None:
    row = ask()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        ApprovalRequest.objects.filter(id=row.id).update(**{column: getattr(row, column)})


@pytest.mark.django_db(transaction=True)
def test_parameters_changed_in_the_database_are_never_executed() -> None:
    row = ask()
    with owner_link(connections["default"].settings_dict["NAME"]) as link:
        link.execute("UPDATE approvals_request SET params = replace(params, 'Renamed', 'Forged')")
    with pytest.raises(ApprovalTampered):
        services.approve_request(actor=person(), request_id=row.id)
    assert plan().name not in {"Renamed", "Forged"}
    assert services.reject_request(actor=person(), request_id=row.id).status == ApprovalStatus.REJECTED


@pytest.mark.django_db
def test_request_for_what_can_not_be_done_is_refused_at_once() -> None:
    with pytest.raises(Conflict) as refused:
        perform(person(), name="taken")
    assert refused.value.code == "NAME_TAKEN"
    assert not ApprovalRequest.objects.exists()
    assert actions() == []


@pytest.mark.django_db
def test_execution_that_is_refused_ends_as_failed_and_changes_nothing(
    executing: Callable[[Any], None],
) -> None:
    from_conftest = known_action(ACTION).execute
    row = ask()

    def refuse(*, actor: Principal, params: dict[str, Any], reason: str) -> Any:
        return from_conftest(actor=actor, params={**params, "name": "taken"}, reason=reason)

    executing(refuse)
    topic, before = live.revision("tests"), plan().name
    failed = services.approve_request(actor=person(), request_id=row.id)
    assert (failed.status, failed.error) == (
        "failed",
        {"code": "NAME_TAKEN", "message": "The name is taken."},
    )
    assert ApprovalRequest.objects.get().status == ApprovalStatus.FAILED
    assert (plan().name, live.revision("tests")) == (before, topic)
    entry = AuditEntry.objects.get(action=ACTION)
    assert (entry.outcome, entry.metadata["error"]) == ("failure", "NAME_TAKEN")
    assert '"after":{}' in entry.details.get(part="subject").body


@pytest.mark.django_db
def test_execution_whose_engine_is_away_leaves_the_request_waiting(executing: Callable[[Any], None]) -> None:
    row = ask()

    def away(*, actor: Principal, params: dict[str, Any], reason: str) -> None:
        raise Unavailable

    executing(away)
    with pytest.raises(Unavailable):
        services.approve_request(actor=person(), request_id=row.id)
    assert ApprovalRequest.objects.get().status == ApprovalStatus.PENDING
    assert actions() == ["approval.request"]


@pytest.mark.django_db
def test_same_request_twice_is_one_request() -> None:
    asker = person()
    first, second = ask(asker), ask(asker)
    assert first.id == second.id
    assert ask(asker, name="Another").id != first.id
    assert ask(person()).id != first.id


@pytest.mark.django_db
def test_rejection_ends_it_and_it_can_be_asked_again() -> None:
    asker = person()
    row = ask(asker)
    rejected = services.reject_request(actor=person(), request_id=row.id, reason="not now")
    assert (rejected.status, rejected.decision_reason) == ("rejected", "not now")
    with pytest.raises(ApprovalDecided):
        services.approve_request(actor=person(), request_id=row.id)
    assert ask(asker).id != row.id


def _age(request_id: UUID) -> None:
    with owner_link(connections["default"].settings_dict["NAME"]) as link:
        link.execute("UPDATE approvals_request SET expires_at = now() WHERE id = %s", [request_id])


@pytest.mark.django_db(transaction=True)
def test_overdue_request_can_not_be_approved_and_the_job_ends_it() -> None:
    asker = person()
    row, fresh = ask(asker), ask(asker, name="Fresh")
    assert timedelta(hours=23) < row.expires_at - now() <= timedelta(hours=24)
    _age(row.id)
    with pytest.raises(ApprovalExpired):
        services.approve_request(actor=person(), request_id=row.id)
    assert [one.id for one in selectors.to_decide(person())] == [fresh.id]
    assert services.expire_requests(actor=system("approvals.expire")) == 1
    assert services.expire_requests(actor=system("approvals.expire")) == 0
    assert ApprovalRequest.objects.get(id=row.id).status == ApprovalStatus.EXPIRED
    with pytest.raises(ApprovalExpired):
        services.approve_request(actor=person(), request_id=row.id)
    assert job_type("approvals.expire").every == timedelta(minutes=5)


@pytest.mark.django_db(transaction=True)
def test_overdue_request_that_no_job_ended_yet_can_be_asked_again() -> None:
    asker = person()
    row = ask(asker)
    _age(row.id)
    again = ask(asker)
    assert again.id != row.id
    assert ApprovalRequest.objects.get(id=row.id).status == ApprovalStatus.EXPIRED


@pytest.mark.django_db(transaction=True)
def test_eight_approvers_and_rejecters_at_once_have_one_winner() -> None:
    row = ask()
    deciders = [person() for _ in range(8)]

    def decide(place: int) -> str:
        decision = services.approve_request if place % 2 else services.reject_request
        return decision(actor=deciders[place], request_id=row.id).status

    results = in_threads(8, decide)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, ApprovalDecided) for result in results) == 7
    assert len(actions()) == 2


@pytest.mark.django_db(transaction=True)
def test_eight_equal_requests_at_once_are_one() -> None:
    asker = person()
    target = Target(type="plan", id=plan().public_id)
    params = {"plan_id": plan().public_id, "name": "Renamed"}

    def go(place: int) -> Any:
        outcome = services.perform(ACTION, actor=asker, params=params, target=target)
        assert isinstance(outcome, services.Pending)
        return outcome.request.id

    assert len(set(in_threads(8, go))) == 1
    assert ApprovalRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_validate_only_asks_nobody() -> None:
    asker = person()
    with unit(dry_run=True):
        assert isinstance(perform(asker), services.Pending)
    assert not ApprovalRequest.objects.exists()
    assert actions() == []


@pytest.mark.django_db
def test_everybody_sees_their_own_and_deciders_see_all() -> None:
    asker = person()
    row = ask(asker)
    for reader in (replace(asker, roles=frozenset({"ops"})), person()):
        assert list(visible_to(reader)) == [row]
    for other in (person("admin"), person("qa")):
        assert not visible_to(other).exists()
    assert not selectors.to_decide(asker).exists()
    assert list(selectors.to_decide(person())) == [row]


@pytest.mark.django_db
def test_purge_and_erasure_leave_nothing_of_the_subject() -> None:
    tenant_id, asker = new_id(), person()
    ask(asker, tenant_id=tenant_id)
    [about_tenant] = [one for one in aspects.registry.of(aspects.Subject.TENANT) if one.name == "approvals"]
    [about_person] = [one for one in aspects.registry.of(aspects.Subject.USER) if one.name == "approvals"]
    assert about_tenant.remove is not None
    assert about_person.remove is not None
    assert about_tenant.remove(tenant_id, system("purge")) == 1
    assert about_tenant.remove(tenant_id, system("purge")) == 0
    row = ask(asker)
    assert asker.user_id is not None
    assert about_person.remove(asker.user_id, system("erase")) == 1
    row.refresh_from_db()
    assert (row.reason, row.status) == ("", ApprovalStatus.EXPIRED)
    assert about_person.remove(asker.user_id, system("erase")) == 0
