"""People on the surface `console` (contracts/console.md, "Routes")."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.approvals.services import Pending
from apps.core.access import Role
from apps.core.errors import Conflict, NotFound, PreconditionFailed
from apps.surfaces import console
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Choice, Email, Flag, Items, TenantId, Text
from apps.surfaces.kit.inputs import Body
from apps.users import selectors, services
from apps.users.enums import MembershipRole, UserStatus
from apps.users.profiles import profile

_ROLES = [role.value for role in Role]
# What a person can be given; `deleted` is for tombstones.
_STATUSES = [UserStatus.ACTIVE.value, UserStatus.SUSPENDED.value, UserStatus.BLOCKED.value]
_REFUSALS = (NotFound, Conflict, PreconditionFailed)


class UserPatch(Body):
    fewest = 1

    name = Text(required=False, allow_blank=True, max_length=200)
    email = Email(required=False, help_text="Ends the user's sessions; the old address is told.")
    status = Choice(_STATUSES, required=False, help_text="`active` lifts suspension and block.")
    role = Choice(MembershipRole.values, required=False, help_text="In a tenant.")
    tenantId = TenantId(  # noqa: N815  as the contract writes names
        required=False, help_text="With `role`; required where the user has several memberships."
    )
    staffRoles = Items(  # noqa: N815
        child=Choice(_ROLES), required=False, max_length=len(_ROLES), help_text="Exactly these; none ends it."
    )
    notes = Text(required=False, allow_blank=True, max_length=5_000)


class Blocking(Body):
    blocked = Flag()
    reason = Text(min_length=3, max_length=500)


class MembershipRow(serializers.Serializer[Any]):
    tenantId = serializers.CharField()  # noqa: N815
    tenantName = serializers.CharField()  # noqa: N815
    role = serializers.ChoiceField(choices=MembershipRole.values)
    plan = serializers.CharField(help_text="Slug of the plan in force.")
    createdAt = serializers.DateTimeField()  # noqa: N815


class SessionRow(serializers.Serializer[Any]):
    address = serializers.CharField(allow_null=True)
    browser = serializers.CharField()
    createdAt = serializers.DateTimeField()  # noqa: N815
    lastSeenAt = serializers.DateTimeField()  # noqa: N815


class ActionRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    action = serializers.CharField()
    resourceType = serializers.CharField()  # noqa: N815
    resourceId = serializers.CharField()  # noqa: N815
    outcome = serializers.CharField()
    at = serializers.DateTimeField()


class UserProfile(serializers.Serializer[Any]):
    """Role, tenant and plan are those of the oldest live membership."""

    id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=_STATUSES)
    suspendedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    blockedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    role = serializers.ChoiceField(choices=MembershipRole.values, allow_null=True)
    tenantId = serializers.CharField(allow_null=True)  # noqa: N815
    plan = serializers.CharField(allow_null=True)
    staffRoles = serializers.ListField(child=serializers.ChoiceField(choices=_ROLES))  # noqa: N815
    notes = serializers.CharField()
    memberships = MembershipRow(many=True)
    usage = serializers.DictField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="This period, by meter; null: not measured.",
    )
    mfaEnabled = serializers.BooleanField()  # noqa: N815
    sessions = SessionRow(many=True)
    lastActions = ActionRow(many=True, help_text="The last 20 things that the user did.")  # noqa: N815
    lastLoginAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    createdAt = serializers.DateTimeField()  # noqa: N815
    updatedAt = serializers.DateTimeField()  # noqa: N815


class Blocked(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    userId = serializers.CharField()  # noqa: N815
    status = serializers.ChoiceField(choices=_STATUSES)


class ResetSent(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    resetEmailSent = serializers.BooleanField()  # noqa: N815
    expiresAt = serializers.DateTimeField()  # noqa: N815


class Seeded(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    seeded = serializers.IntegerField(help_text="How many memberships were made.")


class Users(console.ViewSet):
    """People, of tenants and of ours."""

    @reads(permission=console.MASTER_ADMIN, throttle="console", answer=UserProfile, audit="user.view")
    def retrieve(self, call: Call) -> Answer:
        """One user, with memberships, sessions and last actions."""
        user = selectors.user(call.actor, call.path["userId"])
        call.viewed("user.view", user.audit_target())
        return Answer(profile(user), version=user.version)

    @changes(
        permission=console.MASTER_ADMIN,
        throttle="console",
        body=UserPatch,
        answer=UserProfile,
        target="user",
        refusals=_REFUSALS,
    )
    def partial_update(self, call: Call) -> Answer:
        """Changes what is sent, all or nothing.

        Another role, address or staff role, and a status that keeps the user out, end the user's sessions.
        """
        body = call.body
        wanted = services.UserChanges(
            role=MembershipRole(body["role"]) if "role" in body else None,
            tenant_id=body.get("tenantId"),
            name=body.get("name"),
            staff_roles=body.get("staffRoles"),
            email=body.get("email"),
            status=UserStatus(body["status"]) if "status" in body else None,
            notes=body.get("notes"),
        )
        user = services.change_user(
            actor=call.actor, user_id=_id(call, "users.update"), changes=wanted, if_match=call.if_match
        )
        if isinstance(user, Pending):
            return Answer(user.body(), status=202)
        return Answer(profile(user), version=user.version)

    @changes(
        permission=console.MASTER_ADMIN,
        throttle="console",
        body=Blocking,
        answer=Blocked,
        target="user",
        refusals=_REFUSALS,
    )
    def block(self, call: Call) -> Answer:
        """Blocks a user, or lifts the block.

        Sessions, tokens and keys of a blocked user end at once.
        """
        act = services.block_user if call.body["blocked"] else services.unblock_user
        user = act(
            actor=call.actor,
            user_id=_id(call, "users.block"),
            reason=call.body["reason"],
            if_match=call.if_match,
        )
        data = {"ok": True, "userId": user.public_id, "status": user.status.value}
        return Answer(data, version=user.version)

    @changes(
        permission=console.MASTER_ADMIN,
        throttle="console",
        answer=ResetSent,
        target="user",
        refusals=_REFUSALS,
    )
    def reset_password(self, call: Call) -> Answer:
        """Mails the user a link that counts once."""
        user_id = _id(call, "users.reset_password")
        asked = services.request_password_reset(actor=call.actor, user_id=user_id, if_match=call.if_match)
        return Answer({"ok": True, "resetEmailSent": True, "expiresAt": asked.expires_at})


class Members(console.ViewSet):
    """Who belongs to which tenant."""

    @changes(
        permission=console.MASTER_ADMIN,
        throttle="console",
        answer=Seeded,
        target="membership",
        refusals=[],
    )
    def backfill(self, call: Call) -> Answer:
        """Makes the creator of every tenant without a member its owner.

        Safe to repeat, and to run twice at once.
        """
        return Answer({"ok": True, "seeded": services.backfill_members(actor=call.actor)})


def _id(call: Call, permission: str) -> UUID:
    """The person that the path names.

    Raises:
        UserNotFound: nobody whom the caller reaches.
    """
    return selectors.user(call.actor, call.path["userId"], permission=permission).pk
