"""Suspending, blocking, and their ways back."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.principal import Principal
from apps.users import services
from apps.users.enums import UserStatus
from apps.users.errors import (
    AlreadyBlocked,
    AlreadySuspended,
    LastSuperAdmin,
    NeedsSuperAdmin,
    NotBlocked,
    NotSuspended,
    ReasonInvalid,
    UserNotFound,
    Yourself,
)
from apps.users.models import User, revoked
from tests.factories import actor, make_member, make_staff, make_tenant, make_user, staff_principal
from tests.users.support import detail, open_session, trail

pytestmark = pytest.mark.django_db


def reloaded(user: User) -> User:
    return User.objects.select_related("staff").get(pk=user.pk)


def test_suspension_ends_sessions_and_tokens_and_leaves_one_row() -> None:
    user = make_user()
    open_session(user)
    issued = now() - timedelta(seconds=1)

    services.suspend_user(actor=actor(), user_id=user.pk, reason="  fraud ")

    found = reloaded(user)
    assert found.status is UserStatus.SUSPENDED
    assert revoked(found, issued)
    assert not UserSession.objects.filter(user=user).exists()
    entry = trail("user.suspend")
    assert entry.resource_id == user.public_id
    assert entry.metadata == {"sessions_ended": 1}
    said = detail(entry)
    assert said["reason"] == "fraud"
    assert said["before"]["status"] == "active"
    assert said["after"]["status"] == "suspended"


@pytest.mark.parametrize(
    "act",
    [
        partial(services.suspend_user, reason="fraud"),
        services.unsuspend_user,
        services.revoke_sessions,
        services.request_password_reset,
    ],
)
def test_an_admin_does_nothing_to_a_super_admin(act: Callable[..., object]) -> None:
    stopped = now() if act is services.unsuspend_user else None
    above = make_staff("super_admin", "ops", suspended_at=stopped)
    admin, peer = staff_principal("admin"), staff_principal("super_admin")
    with pytest.raises(NeedsSuperAdmin):
        act(actor=admin, user_id=above.pk)
    assert not AuditEntry.objects.exists()
    act(actor=peer, user_id=above.pk)
    # Who was one is one no longer.
    act(actor=admin, user_id=make_staff("super_admin", is_active=False, suspended_at=stopped).pk)


def test_a_second_suspension_is_a_conflict_and_changes_nothing() -> None:
    user = make_user()
    services.suspend_user(actor=actor(), user_id=user.pk, reason="fraud")
    before = reloaded(user)
    with pytest.raises(AlreadySuspended):
        services.suspend_user(actor=actor(), user_id=user.pk, reason="fraud again")
    assert reloaded(user).tokens_valid_after == before.tokens_valid_after
    assert AuditEntry.objects.filter(action="user.suspend").count() == 1


@pytest.mark.parametrize("reason", ["", "  ab ", "x" * 501])
def test_a_reason_of_another_length_is_refused(reason: str) -> None:
    user = make_user()
    with pytest.raises(ReasonInvalid):
        services.suspend_user(actor=actor(), user_id=user.pk, reason=reason)
    assert reloaded(user).status is UserStatus.ACTIVE


def test_suspended_and_blocked_are_independent_and_blocked_is_shown() -> None:
    user = make_user()
    services.suspend_user(actor=actor(), user_id=user.pk, reason="fraud")
    assert services.block_user(actor=actor(), user_id=user.pk, reason="worse").status is UserStatus.BLOCKED
    assert services.unsuspend_user(actor=actor(), user_id=user.pk).status is UserStatus.BLOCKED
    assert services.unblock_user(actor=actor(), user_id=user.pk).status is UserStatus.ACTIVE
    with pytest.raises(NotSuspended):
        services.unsuspend_user(actor=actor(), user_id=user.pk)
    with pytest.raises(NotBlocked):
        services.unblock_user(actor=actor(), user_id=user.pk)


def test_a_second_block_is_a_conflict() -> None:
    user = make_user()
    services.block_user(actor=actor(), user_id=user.pk, reason="fraud")
    with pytest.raises(AlreadyBlocked):
        services.block_user(actor=actor(), user_id=user.pk, reason="fraud")


@pytest.mark.parametrize("service", [services.suspend_user, services.block_user])
def test_nobody_stops_themselves(service: Callable[..., User]) -> None:
    make_staff()
    me = make_staff()
    with pytest.raises(Yourself):
        service(actor=me.principal(via="platform", address=None), user_id=me.pk, reason="oops")


@pytest.mark.parametrize("service", [services.suspend_user, services.block_user])
def test_the_last_super_admin_is_not_stopped(service: Callable[..., User]) -> None:
    last = make_staff("super_admin", "support")
    make_staff("super_admin", suspended_at=now())
    make_staff("super_admin", is_active=False)
    with pytest.raises(LastSuperAdmin):
        service(actor=actor(), user_id=last.pk, reason="oops")
    make_staff("super_admin")
    service(actor=actor(), user_id=last.pk, reason="fine now")


def test_qa_stops_people_of_test_tenants_alone() -> None:
    qa = staff_principal("qa")
    tested = make_member(make_tenant(is_test=True))
    real = make_member(make_tenant())
    colleague = make_staff("support")
    services.suspend_user(actor=qa, user_id=tested.pk, reason="trying it out")
    for other in (real, colleague, make_user()):
        with pytest.raises(UserNotFound):
            services.suspend_user(actor=qa, user_id=other.pk, reason="trying it out")


def test_a_role_without_the_right_reaches_nobody() -> None:
    user = make_user()
    with pytest.raises(UserNotFound):
        services.suspend_user(actor=staff_principal("support"), user_id=user.pk, reason="fraud")
    with pytest.raises(UserNotFound):
        services.block_user(actor=staff_principal("admin"), user_id=user.pk, reason="fraud")


def test_another_version_is_refused_with_the_present_one() -> None:
    user = make_user()
    with pytest.raises(PreconditionFailed) as refused:
        services.suspend_user(actor=actor(), user_id=user.pk, reason="fraud", if_match=7)
    assert refused.value.details == {"current": 1}
    assert services.suspend_user(actor=actor(), user_id=user.pk, reason="fraud", if_match=1).version == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_super_admins_who_block_each_other_at_once_one_stays() -> None:
    """Each is a super_admin while the other's block is decided: the second must see the first."""
    one, other = make_staff(), make_staff()
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def block(who: Principal, whom: User) -> None:
        gate.wait()
        try:
            services.block_user(actor=who, user_id=whom.pk, reason="duel")
            outcomes.append("blocked")
        except LastSuperAdmin:
            outcomes.append("refused")
        finally:
            connection.close()

    pairs = [(one, other), (other, one)]
    threads = [
        threading.Thread(target=block, args=(a.principal(via="platform", address=None), b)) for a, b in pairs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["blocked", "refused"]
