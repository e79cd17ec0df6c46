"""Memberships: who belongs to a tenant, and as what."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count

from apps.core.ids import public
from apps.core.principal import Principal
from apps.core.write import Target, Write, write
from apps.tenants import facts
from apps.tenants.services.rows import hold
from apps.users.enums import MembershipRole
from apps.users.errors import MembershipExists, NotAMember, SoleOwner
from apps.users.models import Membership, User
from apps.users.selectors import sole_ownerships
from apps.users.services.common import end_sessions, hold_owned, locked, saved

MEMBERSHIP = "mbr"


def _target(membership_id: UUID, tenant_id: UUID, user_id: UUID) -> Target:
    return Target(
        type="membership", id=public(MEMBERSHIP, membership_id), tenant_id=tenant_id, person_id=user_id
    )


def count_members(tenant_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Members by tenant; a tenant without any is left out. What apps.tenants.facts counts `members` by."""
    own = Membership.objects.filter(tenant_id__in=tenant_ids).order_by().values("tenant_id")
    return dict(own.annotate(members=Count("id")).values_list("tenant_id", "members"))


def add_membership(
    *, actor: Principal, user_id: UUID, tenant_id: UUID, role: MembershipRole, reason: str = ""
) -> Membership:
    """Makes a person a member of a tenant.

    Raises:
        UserNotFound, TenantNotFound
        BeingPurged: the tenant's end has begun.
        MembershipExists: they are one already.
    """
    target = Target(type="membership", id="", tenant_id=tenant_id, person_id=user_id)
    with write("membership.add", actor=actor, target=target, reason=reason) as w:
        user = locked(actor=actor, permission="users.update", user_id=user_id)
        tenant = hold(tenant_id)
        try:
            with transaction.atomic():
                membership = Membership.objects.create(user=user, tenant=tenant, role=role)
        except IntegrityError:
            raise MembershipExists from None
        w.on(_target(membership.pk, tenant.pk, user.pk))
        w.changed(after={"user_id": user.public_id, "tenant_id": tenant.public_id, "role": role})
        facts.refresh("members", tenant.pk)
        return membership


def change_membership_role(
    *, actor: Principal, user_id: UUID, tenant_id: UUID, role: MembershipRole, reason: str = ""
) -> Membership:
    """Gives a member another role in the tenant; their sessions end, so that the new role counts at once.

    Raises:
        UserNotFound
        NotAMember: the person does not belong to the tenant.
        SoleOwner: a live tenant would be left without an owner.
    """
    found = Membership.objects.filter(user_id=user_id, tenant_id=tenant_id).first()
    target = _target(found.pk if found else user_id, tenant_id, user_id)
    with write("membership.change_role", actor=actor, target=target, reason=reason) as w:
        user = locked(actor=actor, permission="users.update", user_id=user_id)
        membership = Membership.objects.select_for_update().filter(user=user, tenant_id=tenant_id).first()
        if membership is None:
            raise NotAMember("The user is not a member of this tenant.")
        change_role(w, user, membership, role)
        saved(user)
        return membership


def change_role(w: Write, user: User, membership: Membership, role: MembershipRole) -> None:
    """Inside a write: the new role, and the end of the person's sessions. Nothing where the role is the same.

    Raises:
        SoleOwner
    """
    if membership.role == role:
        return
    _refuse_sole_owner(membership)
    w.changed(before={"role": membership.role}, after={"role": role})
    membership.role = role
    membership.save(update_fields=["role"])
    w.note(sessions_ended=end_sessions(w, user))


def remove_membership(*, actor: Principal, user_id: UUID, tenant_id: UUID, reason: str = "") -> None:
    """Takes a person out of a tenant; their sessions end.

    Raises:
        UserNotFound
        NotAMember
        SoleOwner
    """
    found = Membership.objects.filter(user_id=user_id, tenant_id=tenant_id).first()
    target = _target(found.pk if found else user_id, tenant_id, user_id)
    with write("membership.remove", actor=actor, target=target, reason=reason) as w:
        user = locked(actor=actor, permission="users.update", user_id=user_id)
        membership = Membership.objects.select_for_update().filter(user=user, tenant_id=tenant_id).first()
        if membership is None:
            raise NotAMember("The user is not a member of this tenant.")
        _refuse_sole_owner(membership)
        w.changed(before={"role": membership.role})
        membership.delete()
        facts.refresh("members", tenant_id)
        w.note(sessions_ended=end_sessions(w, user))


def _refuse_sole_owner(membership: Membership) -> None:
    """A live tenant keeps an owner, as with an erasure (contracts/platform.md, DELETE `/users/{id}`)."""
    if membership.role != MembershipRole.OWNER:
        return
    hold_owned(membership.user_id, tenant_id=membership.tenant_id)
    blockers = sole_ownerships(membership.user_id, tenant_id=membership.tenant_id)
    if blockers:
        raise SoleOwner(" ".join(blockers), details={"blockers": blockers})
