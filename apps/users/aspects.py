"""What this app, and the third-party apps that it brings, hold about a person or a tenant, and how it goes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q

from apps.audit.services import shred
from apps.core.aspects import Aspect, Subject, register
from apps.core.attempts import account_key
from apps.core.clock import iso
from apps.core.erasing.traces import ERASED_EMAIL, Traces
from apps.core.ids import USER, public
from apps.core.models import FailedAttempt, Job
from apps.core.principal import Principal
from apps.core.write import write
from apps.tenants import facts
from apps.tenants.models import Tenant
from apps.users.enums import MembershipRole
from apps.users.models import Membership, StaffMember, User
from apps.users.selectors import sole_ownerships
from apps.users.services.common import delete_sessions, target_of

# A tenant is dated by us, its people by the start of PostgreSQL's transaction: a little earlier.
_SAME_WRITE = timedelta(minutes=1)


def _memberships_of(user_id: UUID) -> Iterator[dict[str, Any]]:
    for row in Membership.objects.filter(user_id=user_id).select_related("tenant").iterator():
        yield {
            "tenant_id": row.tenant.public_id,
            "tenant_name": row.tenant.company_name,
            "role": row.role,
            "created_at": iso(row.created_at),
        }


def _leave_tenants(user_id: UUID, actor: Principal) -> int:
    del actor
    own = Membership.objects.filter(user_id=user_id)
    tenants = list(own.values_list("tenant_id", flat=True))
    _hand_over(user_id)
    gone, _ = own.delete()
    facts.refresh("members", *tenants)
    return gone


def _hand_over(user_id: UUID) -> None:
    """A tenant that is written to under the person's address gets that of its oldest other owner, if it has one."""
    address = User.objects.filter(pk=user_id).values("email")
    for tenant in Tenant.objects.filter(owner_email__in=address).select_for_update(no_key=True):
        owners = Membership.objects.filter(tenant=tenant, role=MembershipRole.OWNER).exclude(user_id=user_id)
        heir = owners.order_by("created_at", "id").values_list("user__email", flat=True).first()
        tenant.owner_email = heir or ERASED_EMAIL
        tenant.version += 1
        tenant.save(update_fields=["owner_email", "version"])


def _members_of(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    for row in Membership.objects.filter(tenant_id=tenant_id).select_related("user").iterator():
        yield {
            "user_id": row.user.public_id,
            "email": row.user.email,
            "name": row.user.name,
            "role": row.role,
            "created_at": iso(row.created_at),
        }


def _empty_tenant(tenant_id: UUID, actor: Principal) -> int:
    """Ends the memberships. Of a test tenant its people go too, if they are not older than it, belong nowhere else,
    are not ours and never signed in: they were made for it."""
    own = Membership.objects.filter(tenant_id=tenant_id)
    tenant = Tenant.objects.filter(pk=tenant_id, is_test=True).first()
    made_for_it = User.objects.filter(Exists(own.filter(user=OuterRef("pk"))), last_login=None)
    made_for_it = made_for_it.exclude(
        Q(Exists(Membership.objects.filter(user=OuterRef("pk")).exclude(tenant_id=tenant_id)))
        | Q(Exists(StaffMember.objects.filter(user=OuterRef("pk"))))
    )
    people: list[UUID] = []
    if tenant is not None:
        since = tenant.created_at - _SAME_WRITE
        people = list(made_for_it.filter(created_at__gte=since).values_list("pk", flat=True))
    gone, _ = own.delete()
    User.objects.filter(pk__in=people).delete()
    # Nobody could erase them any more: what the trail says of them goes with them.
    for user_id in people:
        shred(actor=actor, person_id=user_id, public_id=public(USER, user_id))
    return gone + len(people)


def _sessions_of(user_id: UUID) -> Iterator[dict[str, Any]]:
    for row in UserSession.objects.filter(user_id=user_id).iterator():
        yield {
            "address": row.ip,
            "browser": row.user_agent,
            "created_at": iso(row.created_at),
            "last_seen_at": iso(row.last_seen_at),
        }


def _end_sessions(user_id: UUID, actor: Principal) -> int:
    del actor
    listed = int(UserSession.objects.filter(user_id=user_id).count())
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        delete_sessions(user)
    return listed


def _factors_of(user_id: UUID) -> Iterator[dict[str, Any]]:
    for row in Authenticator.objects.filter(user_id=user_id).iterator():
        yield {"type": row.type, "created_at": iso(row.created_at)}


def _addresses_of(user_id: UUID) -> Iterator[dict[str, Any]]:
    for row in EmailAddress.objects.filter(user_id=user_id).iterator():
        yield {"email": row.email, "verified": row.verified}


def _staff_of(user_id: UUID) -> Iterator[dict[str, Any]]:
    for row in StaffMember.objects.filter(user_id=user_id).iterator():
        yield {"roles": list(row.roles), "is_active": row.is_active, "created_at": iso(row.created_at)}


def _remove_factors(user_id: UUID, actor: Principal) -> int:
    del actor
    return int(Authenticator.objects.filter(user_id=user_id).delete()[0])


def _remove_addresses(user_id: UUID, actor: Principal) -> int:
    del actor
    return int(EmailAddress.objects.filter(user_id=user_id).delete()[0])


def _remove_staff(user_id: UUID, actor: Principal) -> int:
    del actor
    return StaffMember.objects.filter(user_id=user_id).delete()[0]


def _profile_of(user_id: UUID) -> Iterator[dict[str, Any]]:
    for user in User.objects.filter(pk=user_id):
        yield {
            "id": user.public_id,
            "email": user.email,
            "name": user.name,
            "status": user.status.value,
            "notes": user.notes,
            "last_login": iso(user.last_login) if user.last_login else None,
            "created_at": iso(user.created_at),
            "updated_at": iso(user.updated_at),
        }


def _remove_person(user_id: UUID, actor: Principal) -> int:
    """The row itself, and what is kept under the hash of the address."""
    del actor
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return 0
    known_by = [account_key(user.email), account_key(user.public_id)]
    FailedAttempt.objects.filter(account__in=known_by).delete()
    user.delete()
    return 1


def _sweep_sessions(traces: Traces, actor: Principal) -> int:
    """Sessions that no list leads to: sign-ins that were not finished. Who the person is stands inside."""
    doomed = [
        session.pk
        for session in Session.objects.iterator(500)
        if any(needle in str(session.get_decoded()).lower() for needle in map(str.lower, traces.needles))
    ]
    with write("user.erase_sessions", actor=actor, target=target_of(traces.person_id)):
        return int(Session.objects.filter(pk__in=doomed).delete()[0])


def _jobs_of(user_id: UUID) -> Iterator[dict[str, Any]]:
    for row in Job.objects.filter(actor__contains={"user_id": str(user_id)}).order_by("id").iterator(500):
        yield {"name": row.name, "status": row.status, "created_at": iso(row.created_at)}


def _forget_in_jobs(user_id: UUID, actor: Principal) -> int:
    """Jobs keep who caused them by id; label and address go."""
    del actor
    nobody = {"label": "", "address": None}
    own = Job.objects.filter(actor__contains={"user_id": str(user_id)}).exclude(actor__contains=nobody)
    count = 0
    for row in own.select_for_update():
        row.actor = {**row.actor, **nobody}
        row.save(update_fields=["actor"])
        count += 1
    return count


def install() -> None:
    """Registers the aspects; called once, when Django has loaded the apps."""
    _of_a_person(Subject.USER)
    _of_an_account(Subject.USER)
    _of_a_tenant(Subject.TENANT)


def _of_a_person(user: Subject) -> None:
    register(
        Aspect(
            "users.memberships",
            user,
            models=["users.Membership"],
            summary=lambda user_id: {"memberships": Membership.objects.filter(user_id=user_id).count()},
            export=_memberships_of,
            remove=_leave_tenants,
            blockers=sole_ownerships,
        )
    )
    register(
        Aspect("users.jobs", user, models=["core.Job"], export=_jobs_of, remove=_forget_in_jobs, order=900)
    )
    register(
        Aspect(
            "users.profile",
            user,
            models=["users.User", "core.FailedAttempt"],
            export=_profile_of,
            remove=_remove_person,
            order=1000,
        )
    )


def _of_an_account(user: Subject) -> None:
    """What a person signs in with and may do here."""
    register(
        Aspect(
            "users.sessions",
            user,
            models=["usersessions.UserSession", "sessions.Session"],
            summary=lambda user_id: {"sessions": UserSession.objects.filter(user_id=user_id).count()},
            export=_sessions_of,
            remove=_end_sessions,
            sweep=_sweep_sessions,
            order=10,
        )
    )
    register(
        Aspect(
            "users.second_factors",
            user,
            models=["mfa.Authenticator"],
            export=_factors_of,
            remove=_remove_factors,
        )
    )
    register(
        Aspect(
            "users.email_addresses",
            user,
            models=["account.EmailAddress", "account.EmailConfirmation"],
            export=_addresses_of,
            remove=_remove_addresses,
        )
    )
    register(
        Aspect("users.staff", user, models=["users.StaffMember"], export=_staff_of, remove=_remove_staff)
    )


def _of_a_tenant(tenant: Subject) -> None:
    register(
        Aspect(
            "users.members",
            tenant,
            models=["users.Membership"],
            summary=lambda tenant_id: {"members": Membership.objects.filter(tenant_id=tenant_id).count()},
            export=_members_of,
            remove=_empty_tenant,
            order=50,
        )
    )
