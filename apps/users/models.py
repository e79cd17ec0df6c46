"""People: users, their memberships in tenants, staff, tombstones."""

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper
from django.utils.crypto import salted_hmac

from apps.core import ids
from apps.core.access import Role
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target
from apps.tenants.models import Tenant
from apps.users.enums import STAFF_ROLES, ErasureReason, MembershipRole, UserStatus


class UserManager(BaseUserManager["User"]):
    """What Django's machinery asks for; people are made by apps.users.services."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Addresses are compared and kept in lower case."""
        return (email or "").strip().lower()


class User(AbstractBaseUser):
    """A person, of a tenant or of ours. There is no superuser: rights come from staff roles alone."""

    # Asked for by third-party code; a class attribute, so that no row can ever say otherwise.
    is_superuser: ClassVar[bool] = False
    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    suspended_at = models.DateTimeField(null=True)
    blocked_at = models.DateTimeField(null=True)
    # Sessions and tokens issued before this moment are void (`iat` of a token, the hash in a session).
    tokens_valid_after = models.DateTimeField(null=True)
    # The one reset link that counts was asked for at this moment; null: none is open.
    reset_requested_at = models.DateTimeField(null=True)
    notes = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        db_table = "users_user"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="user_email_is_lower", condition=Q(email__regex=r"^[^A-Z]+$")),
        ]
        indexes = [
            models.Index(name="user_newest", fields=["-created_at", "-id"]),
            models.Index(F("last_login").desc(nulls_last=True), F("id").desc(), name="user_by_last_login"),
            models.Index(
                name="user_suspended", fields=["-created_at"], condition=Q(suspended_at__isnull=False)
            ),
            models.Index(name="user_blocked", fields=["-created_at"], condition=Q(blocked_at__isnull=False)),
            GinIndex(
                OpClass(Upper("email"), name="gin_trgm_ops"),
                OpClass(Upper("name"), name="gin_trgm_ops"),
                name="user_search",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def public_id(self) -> str:
        return ids.public(ids.USER, self.id)

    @property
    def status(self) -> UserStatus:
        if self.blocked_at is not None:
            return UserStatus.BLOCKED
        return UserStatus.SUSPENDED if self.suspended_at is not None else UserStatus.ACTIVE

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # a fact of ours, not a column
        return self.status is UserStatus.ACTIVE

    @property
    def staff_roles(self) -> frozenset[str]:
        """Roles of an active staff member; the row comes with the user (`select_related("staff")`)."""
        member = self._state.fields_cache.get("staff")
        return frozenset(member.roles) if member is not None and member.is_active else frozenset()

    @property
    def is_staff(self) -> bool:
        return bool(self.staff_roles)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's own permissions are not used: pages ask apps.core.access."""
        del perm, obj
        return False

    def has_module_perms(self, app_label: str) -> bool:
        del app_label
        return self.is_staff

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Bound to the password and to the revocation stamp: raising the stamp ends every session."""
        stamp = self.tokens_valid_after.isoformat() if self.tokens_valid_after else ""
        key = f"{self.password}|{stamp}"
        return salted_hmac("apps.users.session", key, secret=secret, algorithm="sha256").hexdigest()

    def audit_target(self) -> Target:
        return Target(type="user", id=self.public_id, person_id=self.id)

    def principal(self, *, via: str, address: str | None, session: str | None = None) -> Principal:
        """This person as a caller."""
        return Principal(
            kind=PrincipalKind.STAFF if self.is_staff else PrincipalKind.USER,
            id=self.public_id,
            label=self.email,
            user_id=self.id,
            roles=self.staff_roles,
            address=address,
            via=via,
            session=session,
        )


class StaffMember(models.Model):
    """One of ours: what a person may do in the back office and over the platform surface."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="staff")
    roles: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=20, choices=STAFF_ROLES)
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "users_staff_member"
        ordering = ["user__email"]
        constraints = [
            models.CheckConstraint(
                name="staff_roles_known",
                condition=Q(roles__contained_by=[role.value for role in Role]) & Q(roles__len__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {', '.join(self.roles)}"


class Membership(models.Model):
    """A person's place in a tenant."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=8, choices=MembershipRole.choices)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "users_membership"
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["user", "tenant"]),
            models.CheckConstraint(name="membership_role_known", condition=Q(role__in=MembershipRole.values)),
        ]
        indexes = [
            models.Index(name="membership_by_tenant", fields=["tenant", "role"]),
            models.Index(name="membership_oldest", fields=["user", "created_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.tenant_id}"


class UserTombstone(models.Model):
    """What is left of an erased person: the id, when, at whose wish and on what ground it was erased."""

    user_id = models.UUIDField(primary_key=True)
    deleted_at = models.DateTimeField(db_default=Now())
    requested_by = models.CharField(
        max_length=200, default="", db_default="", blank=True, help_text="Principal.id"
    )
    reason_code = models.CharField(
        max_length=20,
        choices=ErasureReason.choices,
        default=ErasureReason.REQUEST,
        db_default=ErasureReason.REQUEST.value,
    )
    # {aspect: rows removed, "<aspect> mentions": what else was changed}
    removed = models.JSONField(default=dict, db_default={})
    # What the person is looked for by in texts (apps.core.erasing.traces), sealed; null once that was done.
    sealed_traces = models.BinaryField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "users_tombstone"
        ordering = ["-deleted_at"]
        constraints = [
            models.CheckConstraint(
                name="tombstone_traces_until_finished",
                condition=Q(finished_at__isnull=True) | Q(sealed_traces__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                name="tombstone_unfinished", fields=["deleted_at"], condition=Q(finished_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_id)

    @property
    def public_id(self) -> str:
        return ids.public(ids.USER, self.user_id)

    def audit_target(self) -> Target:
        return Target(type="user", id=self.public_id, person_id=self.user_id)


def revoked(user: User, issued_at: datetime) -> bool:
    """True where a session or token of that moment was revoked since."""
    return user.tokens_valid_after is not None and issued_at <= user.tokens_valid_after
