"""Memberships, the count of members in the tenant's facts, samples, and what aspects remove."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.aspects import Subject, registry
from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.principal import system
from apps.core.write import write
from apps.tenants import facts
from apps.tenants.errors import TenantNotFound
from apps.tenants.models import Tenant, TenantFacts
from apps.users import services
from apps.users.aspects import install
from apps.users.enums import MembershipRole
from apps.users.errors import EmailTaken, MembershipExists, NotAMember, SoleOwner
from apps.users.models import Membership, User
from apps.users.samples import make_people
from tests.factories import actor, make_member, make_staff, make_tenant, make_user, staff_principal
from tests.users.support import enrol, open_session, trail

pytestmark = pytest.mark.django_db


def members(tenant: Tenant) -> int | None:
    return TenantFacts.objects.get(tenant=tenant).members


def remove(name: str, subject: Subject, key: object) -> int:
    (aspect,) = [each for each in registry.of(subject) if each.name == name]
    assert aspect.remove is not None
    with write("test.remove", actor=actor(), target=make_user().audit_target()):
        return aspect.remove(key, actor())  # type: ignore[arg-type]  # an id of either subject


def test_members_come_and_go_and_are_counted() -> None:
    tenant, user = make_tenant(), make_user()
    made = services.add_membership(
        actor=actor(), user_id=user.pk, tenant_id=tenant.pk, role=MembershipRole.MEMBER
    )
    assert made.role == "member"
    assert members(tenant) == 1
    entry = trail("membership.add")
    assert (entry.tenant_id, entry.person_id) == (tenant.pk, user.pk)
    with pytest.raises(MembershipExists):
        services.add_membership(
            actor=actor(), user_id=user.pk, tenant_id=tenant.pk, role=MembershipRole.OWNER
        )
    services.remove_membership(actor=actor(), user_id=user.pk, tenant_id=tenant.pk)
    assert members(tenant) == 0
    with pytest.raises(NotAMember):
        services.remove_membership(actor=actor(), user_id=user.pk, tenant_id=tenant.pk)


def test_an_unknown_tenant_has_no_members() -> None:
    with pytest.raises(TenantNotFound):
        services.add_membership(
            actor=actor(), user_id=make_user().pk, tenant_id=new_id(), role=MembershipRole.MEMBER
        )


def test_another_role_ends_the_sessions() -> None:
    tenant = make_tenant()
    user = make_member(tenant)
    open_session(user)
    services.change_membership_role(
        actor=actor(), user_id=user.pk, tenant_id=tenant.pk, role=MembershipRole.ADMIN
    )
    assert User.objects.get(pk=user.pk).tokens_valid_after is not None
    assert trail("membership.change_role").metadata == {"sessions_ended": 1}
    with pytest.raises(NotAMember):
        services.change_membership_role(
            actor=actor(), user_id=user.pk, tenant_id=make_tenant().pk, role=MembershipRole.ADMIN
        )


def test_a_live_tenant_keeps_its_last_owner() -> None:
    tenant = make_tenant()
    owner, member = make_member(tenant, "owner"), make_member(tenant)
    acts: list[Callable[[], object]] = [
        lambda: services.remove_membership(actor=actor(), user_id=owner.pk, tenant_id=tenant.pk),
        lambda: services.change_membership_role(
            actor=actor(), user_id=owner.pk, tenant_id=tenant.pk, role=MembershipRole.ADMIN
        ),
        lambda: services.update_user(
            actor=actor(), user_id=owner.pk, changes=services.UserChanges(role=MembershipRole.MEMBER)
        ),
    ]
    for act in acts:
        with pytest.raises(SoleOwner, match=tenant.slug):
            act()
    assert Membership.objects.get(user=owner).role == "owner"
    assert not AuditEntry.objects.exists()
    services.change_membership_role(
        actor=actor(), user_id=member.pk, tenant_id=tenant.pk, role=MembershipRole.OWNER
    )
    for act in acts[1:]:
        act()
    acts[0]()
    assert list(Membership.objects.filter(tenant=tenant).values_list("user", "role")) == [
        (member.pk, "owner")
    ]


def test_the_last_owner_of_a_cancelled_tenant_may_go() -> None:
    tenant = make_tenant(status="cancelled", cancelled_at=now())
    owner = make_member(tenant, "owner")
    services.remove_membership(actor=actor(), user_id=owner.pk, tenant_id=tenant.pk)
    assert not Membership.objects.filter(tenant=tenant).exists()


def test_the_nightly_rebuild_counts_members() -> None:
    tenant = make_tenant()
    make_member(tenant)
    make_member(tenant)
    found = facts.rebuild(actor=system("test"))
    assert found["members"].drifted == 1
    assert members(tenant) == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_join_at_once_are_both_counted() -> None:
    tenant = make_tenant()
    people = [make_user(), make_user()]
    gate = threading.Barrier(2)

    def join(user: User) -> None:
        gate.wait()
        services.add_membership(
            actor=actor(), user_id=user.pk, tenant_id=tenant.pk, role=MembershipRole.MEMBER
        )
        connection.close()

    threads = [threading.Thread(target=join, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert members(tenant) == 2


def test_a_test_tenant_gets_people_and_takes_them_along() -> None:
    tenant = make_tenant(is_test=True, owner_email="QA@Steward.Example")
    with write("test.fill", actor=actor(), target=tenant.audit_target()):
        make_people(tenant, actor())
    assert members(tenant) == 4
    owner = User.objects.get(email="qa@steward.example")
    services.suspend_user(actor=actor(), user_id=owner.pk, reason=f"{owner.email} asked")
    assert Membership.objects.get(user=owner).role == "owner"
    elsewhere = Membership.objects.filter(tenant=tenant, role="admin").get().user
    Membership.objects.create(user=elsewhere, tenant=make_tenant(), role="member")
    colleague = make_staff("qa")
    Membership.objects.create(user=colleague, tenant=tenant, role="member")

    assert remove("users.members", Subject.TENANT, tenant.pk) == 5 + 3
    assert not Membership.objects.filter(tenant=tenant).exists()
    assert set(User.objects.filter(pk__in=[elsewhere.pk, colleague.pk, owner.pk])) == {elsewhere, colleague}
    assert not AuditDetail.objects.filter(person_id=owner.pk, body__contains=owner.email).exists()
    assert remove("users.members", Subject.TENANT, tenant.pk) == 0


def test_who_was_there_before_a_test_tenant_stays_when_it_goes() -> None:
    before = make_user(created_at=now() - timedelta(days=2))
    tenant = make_tenant(is_test=True, owner_email=before.email)
    with write("test.fill", actor=actor(), target=tenant.audit_target()):
        make_people(tenant, actor())
    remove("users.members", Subject.TENANT, tenant.pk)
    assert User.objects.filter(pk=before.pk).exists()
    assert not Membership.objects.filter(user=before).exists()


def test_qa_can_not_draw_a_person_into_reach_by_naming_them_owner() -> None:
    qa, alone, customers = staff_principal("qa"), make_user(), make_member(make_tenant())
    for person in (alone, customers):
        tenant = make_tenant(is_test=True, owner_email=person.email)
        with pytest.raises(EmailTaken), write("test.fill", actor=qa, target=tenant.audit_target()):
            make_people(tenant, qa)
        assert not Membership.objects.filter(tenant=tenant).exists()
    for person in (make_staff("qa"), make_member(make_tenant(is_test=True))):
        tenant = make_tenant(is_test=True, owner_email=person.email)
        with write("test.fill", actor=qa, target=tenant.audit_target()):
            make_people(tenant, qa)
        assert Membership.objects.get(tenant=tenant, user=person).role == "owner"


def test_people_of_a_real_tenant_stay() -> None:
    tenant = make_tenant()
    user = make_member(tenant)
    remove("users.members", Subject.TENANT, tenant.pk)
    assert User.objects.filter(pk=user.pk).exists()


def test_a_person_is_told_and_removed_aspect_by_aspect() -> None:
    tenant = make_tenant()
    user = make_member(tenant, "owner")
    other = make_member(tenant, "owner")
    enrol(user)
    open_session(user)
    aspects = {each.name: each for each in registry.of(Subject.USER) if each.name.startswith("users.")}
    told = {name: list(each.export(user.pk)) for name, each in aspects.items() if each.export}
    assert told["users.memberships"][0]["tenant_id"] == tenant.public_id
    assert told["users.sessions"][0]["address"] == "203.0.113.50"
    assert {row["type"] for row in told["users.second_factors"]} == {"totp", "recovery_codes"}
    blockers = aspects["users.memberships"].blockers
    assert blockers is not None
    assert list(blockers(user.pk)) == []
    Membership.objects.filter(user=other).delete()
    assert list(blockers(user.pk)) == [f"Only this user owns the tenant {tenant.slug}."]
    for name in aspects:
        remove(name, Subject.USER, user.pk)
        assert remove(name, Subject.USER, user.pk) == 0
    assert members(tenant) == 0


def test_the_aspects_are_registered_once() -> None:
    with pytest.raises(ValueError, match="registered already"):
        install()
