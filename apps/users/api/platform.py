"""Users on the platform surface. Source: contracts/platform.md, "Users"."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.approvals.services import Pending
from apps.audit import selectors as audit
from apps.audit.models import AuditEntry
from apps.core.access import Role, masked
from apps.core.errors import Conflict, NotFound, PreconditionFailed
from apps.surfaces import platform
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Csv, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Address, Choice, Items, Moment, TenantId, Text
from apps.surfaces.kit.inputs import Body, Query
from apps.users import display, selectors, services
from apps.users.api.ordering import UserOrdering
from apps.users.enums import MembershipRole, UserStatus
from apps.users.models import User

_LOOK = "user.view_audit_trail"
_ROLES = [role.value for role in Role]


class UserFilters(Query):
    search = Text(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text="A part of e-mail or name, or the beginning of an id. Support: a whole e-mail or id only.",
    )
    role = Choice(MembershipRole.values, required=False)
    tenant_id = TenantId(required=False)
    status = Choice(UserStatus.values, required=False, help_text="`deleted` lists tombstones.")
    plan = Text(required=False, max_length=63, help_text="Slug or id of the plan in force.")


class TrailFilters(Query):
    start_time = Moment(required=False)
    end_time = Moment(required=False)
    action_type = Text(
        required=False, max_length=80, help_text="`user.suspend`, or `user` for all of its kind."
    )
    ip_address = Address(required=False, help_text="Not for support.")
    search = Text(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="In action, resource, reason, changes and the actor's e-mail. Support: action and resource only.",
    )
    format = Choice(["json", "csv"], required=False)


class Reason(Body):
    reason = Text(min_length=3, max_length=500)


class OptionalReason(Body):
    reason = Text(required=False, allow_blank=True, max_length=500)


class UserPatch(Body):
    fewest = 1

    role = Choice(MembershipRole.values, required=False, help_text="In a tenant.")
    tenant_id = TenantId(required=False, help_text="Required where the user has several memberships.")
    name = Text(required=False, allow_blank=True, max_length=200)
    staff_roles = Items(
        child=Choice(_ROLES), required=False, max_length=len(_ROLES), help_text="Exactly these; none ends it."
    )


class Confirmation(Query):
    confirmation = Text(max_length=254, help_text="The user's e-mail address.")


class UserRow(serializers.Serializer[Any]):
    """Role, tenant and plan are those of the oldest live membership; of a tombstone only id and deleted_at are left."""

    id = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    role = serializers.ChoiceField(choices=MembershipRole.values, allow_null=True)
    tenant_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=UserStatus.values)
    plan = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField(allow_null=True)
    last_login = serializers.DateTimeField(allow_null=True)
    deleted_at = serializers.DateTimeField(required=False)


class MembershipRow(serializers.Serializer[Any]):
    tenant_id = serializers.CharField()
    tenant_name = serializers.CharField()
    role = serializers.ChoiceField(choices=MembershipRole.values)


class UserDetail(serializers.Serializer[Any]):
    id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=MembershipRole.values, allow_null=True)
    tenant_id = serializers.CharField(allow_null=True)
    staff_roles = serializers.ListField(child=serializers.ChoiceField(choices=_ROLES))
    status = serializers.ChoiceField(choices=UserStatus.values)
    memberships = MembershipRow(many=True)
    plan = serializers.CharField(allow_null=True)
    last_login = serializers.DateTimeField(allow_null=True)
    mfa_enabled = serializers.BooleanField()
    active_sessions = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class TrailRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    action = serializers.CharField()
    actor_id = serializers.CharField()
    ip_address = serializers.CharField(allow_null=True)
    resource_type = serializers.CharField()
    resource_id = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    metadata = serializers.DictField()
    timestamp = serializers.DateTimeField()


class Suspended(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    status = serializers.ChoiceField(choices=UserStatus.values)
    suspended_at = serializers.DateTimeField(allow_null=True)


class Revoked(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    revoked_at = serializers.DateTimeField()
    active_sessions_terminated = serializers.IntegerField()


class ResetSent(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    reset_email_sent = serializers.BooleanField()
    expires_at = serializers.DateTimeField()


class UserUpdated(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    role = serializers.ChoiceField(choices=MembershipRole.values, allow_null=True)
    updated_at = serializers.DateTimeField()


class Erased(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    deleted_at = serializers.DateTimeField()
    data_removed = serializers.BooleanField()


_ORDERING = UserOrdering("created_at", "last_login", "email", default="-created_at")
_REFUSALS = (NotFound, Conflict, PreconditionFailed)


class Users(platform.ViewSet):
    """People, of tenants and of ours."""

    @reads(
        permission="users.read",
        throttle="platform.search",
        query=UserFilters,
        ordering=_ORDERING,
        answer=UserRow,
        paged=True,
    )
    def list(self, call: Call) -> Page:
        """Users, newest first.

        `tenant_id` shows each member as what they are in that tenant.
        """
        _ORDERING.refuse_hidden(call)
        filters: dict[str, Any] = dict(call.query)
        if filters.get("status") == UserStatus.DELETED:
            return self._deleted(call, filters)
        tenant_id = filters.get("tenant_id")

        def shape(found: list[User]) -> list[dict[str, Any]]:
            shown = selectors.shown_of(found, tenant_id=tenant_id)
            return [display.user_row(user, shown.get(user.pk), call.actor) for user in found]

        whole = User if selectors.are_all(call.actor, filters) else None
        return call.page(selectors.users(call.actor, **filters), shape, whole=whole)

    def _deleted(self, call: Call, filters: dict[str, Any]) -> Page:
        rows = selectors.tombstones(call.actor, search=filters.get("search", ""))
        if filters.keys() - {"status", "search"}:
            rows = rows.none()  # nothing else is known of an erased person
        return call.page(rows, lambda found: [display.tombstone_row(each) for each in found])

    @reads(permission="users.read", throttle="platform", answer=UserDetail, audit="user.view")
    def retrieve(self, call: Call) -> Answer:
        """One user."""
        user = selectors.user(call.actor, call.path["id"])
        call.viewed("user.view", user.audit_target())
        data = display.user_detail(
            user,
            selectors.memberships_of([user.pk])[user.pk],
            call.actor,
            mfa_enabled=selectors.mfa_enabled(user.pk),
            active_sessions=selectors.active_sessions(user.pk),
        )
        return Answer(data, version=user.version)

    @reads(
        permission="users.audit_trail",
        throttle="platform",
        query=TrailFilters,
        answer=TrailRow,
        paged=True,
        audit=_LOOK,
        formats={"text/csv": "The same selection as CSV."},
    )
    def audit_trail(self, call: Call) -> Page | Csv:
        """What a user did and what was done to them, newest first.

        `format=csv` streams the whole selection.
        """
        filters: dict[str, Any] = dict(call.query)
        wanted = filters.pop("format", "json")
        user = selectors.user(call.actor, call.path["id"], permission="users.audit_trail")
        hidden = masked(call.actor, "users.audit_trail")
        names = selectors.known_as(user)["name"] if hidden else ()
        entries = audit.filtered(
            audit.entries_of_person(user.pk, user.public_id), audit.TrailFilters(**filters), masked=hidden
        )
        # A further page belongs to the look at the first: a row for each would move what is being paged through.
        further = wanted != "csv" and call.asked is not None and call.asked.position["offset"] > 0
        if not (further and audit.has_looked(call.actor.id, _LOOK, user.public_id)):
            call.viewed(_LOOK, user.audit_target(), format=wanted)
        if wanted == "csv":
            rows = (display.trail_row(row, call.actor, names=names) for row in audit.streamed(entries))
            return Csv(f"audit-trail-{user.public_id}.csv", columns=list(TrailRow().fields), rows=rows)

        def shape(found: list[AuditEntry]) -> list[dict[str, Any]]:
            return [display.trail_row(row, call.actor, names=names) for row in audit.rows(found)]

        return call.page(entries, shape)

    @changes(
        permission="users.suspend",
        throttle="platform",
        body=Reason,
        answer=Suspended,
        target="user",
        refusals=_REFUSALS,
    )
    def suspend(self, call: Call) -> Answer:
        """Suspends a user and ends every session and token at once."""
        user_id = _id(call, "users.suspend")
        user = services.suspend_user(
            actor=call.actor, user_id=user_id, reason=call.body["reason"], if_match=call.if_match
        )
        return _suspension(user)

    @changes(
        permission="users.suspend",
        throttle="platform",
        body=OptionalReason,
        answer=Suspended,
        target="user",
        refusals=_REFUSALS,
    )
    def unsuspend(self, call: Call) -> Answer:
        """Lifts a suspension; a block stays."""
        user_id = _id(call, "users.suspend")
        user = services.unsuspend_user(
            actor=call.actor, user_id=user_id, reason=_reason(call), if_match=call.if_match
        )
        return _suspension(user)

    @changes(
        permission="users.revoke_sessions",
        throttle="platform",
        body=OptionalReason,
        answer=Revoked,
        target="user",
        refusals=_REFUSALS,
    )
    def revoke_sessions(self, call: Call) -> Answer:
        """Ends every session, refresh token and issued token."""
        user_id = _id(call, "users.revoke_sessions")
        done = services.revoke_sessions(
            actor=call.actor, user_id=user_id, reason=_reason(call), if_match=call.if_match
        )
        return Answer(
            {
                "user_id": done.user.public_id,
                "revoked_at": done.revoked_at,
                "active_sessions_terminated": done.terminated,
            }
        )

    @changes(
        permission="users.reset_password",
        throttle="platform",
        body=OptionalReason,
        answer=ResetSent,
        target="user",
        refusals=_REFUSALS,
    )
    def reset_password(self, call: Call) -> Answer:
        """Mails a link that counts once, for 24 hours."""
        user_id = _id(call, "users.reset_password")
        asked = services.request_password_reset(
            actor=call.actor, user_id=user_id, reason=_reason(call), if_match=call.if_match
        )
        return Answer(
            {
                "user_id": asked.user.public_id,
                "reset_email_sent": True,
                "expires_at": asked.expires_at,
            }
        )

    @changes(
        permission="users.update",
        throttle="platform",
        body=UserPatch,
        answer=UserUpdated,
        target="user",
        refusals=_REFUSALS,
        also=[202],
    )
    def partial_update(self, call: Call) -> Answer:
        """Changes role, name or staff roles. A change of role ends the user's sessions."""
        body = call.body
        role = MembershipRole(body["role"]) if "role" in body else None
        wanted = services.UserChanges(
            role=role,
            tenant_id=body.get("tenant_id"),
            name=body.get("name"),
            staff_roles=body.get("staff_roles"),
        )
        user = services.change_user(
            actor=call.actor, user_id=_id(call, "users.update"), changes=wanted, if_match=call.if_match
        )
        if isinstance(user, Pending):
            return Answer(user.body(), status=202)
        shown = selectors.shown_of([user]).get(user.pk)
        data = {
            "user_id": user.public_id,
            "role": role or (shown.role if shown else None),
            "updated_at": user.updated_at,
        }
        return Answer(data, version=user.version)

    @changes(
        permission="users.erase",
        throttle="platform",
        query=Confirmation,
        answer=Erased,
        target="user",
        refusals=_REFUSALS,
    )
    def destroy(self, call: Call) -> Answer:
        """Erases a user for good (GDPR, article 17).

        With the answer the user's rows and their details in the audit trail are gone; a job takes out what else
        mentions them: stored answers, waiting mails, files.
        """
        stone = services.erase_user(
            actor=call.actor,
            user_id=_id(call, "users.erase"),
            confirmation=call.query["confirmation"],
            if_match=call.if_match,
        )
        return Answer({"user_id": stone.public_id, "deleted_at": stone.deleted_at, "data_removed": True})


def _id(call: Call, permission: str) -> UUID:
    """The person that the path names.

    Raises:
        UserNotFound: nobody whom the caller reaches.
    """
    return selectors.user(call.actor, call.path["id"], permission=permission).pk


def _reason(call: Call) -> str:
    return str(call.body.get("reason", ""))


def _suspension(user: User) -> Answer:
    data = {"user_id": user.public_id, "status": user.status.value, "suspended_at": user.suspended_at}
    return Answer(data, version=user.version)
