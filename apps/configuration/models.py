"""Keys that operators declared, values that are set, and every change of them."""

from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.configuration.enums import KeyType, ValueScope
from apps.core import ids
from apps.core.knobs import Knob, Scope, Shape, ValueType
from apps.core.sealing import open_sealed, seal
from apps.core.write import Target

CONFIG = "cfg"
SEALED_FOR = "configuration"
MASK = "***"
# What a BinaryField gives: bytes once set, a memoryview from the database.
Sealed: TypeAlias = bytes | memoryview

_KEY_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
_TENANT_IFF_SCOPED = Q(scope=ValueScope.TENANT, tenant_id__isnull=False) | Q(
    scope=ValueScope.PLATFORM, tenant_id__isnull=True
)


def sealed_text(text: str | None) -> bytes | None:
    """A secret as it is stored."""
    return None if text is None else seal(text.encode(), purpose=SEALED_FOR)


def opened_text(sealed: Sealed | None) -> str | None:
    """A stored secret in clear.

    Raises:
        SealBroken: it was changed, or its master key is not there.
    """
    return None if sealed is None else open_sealed(bytes(sealed), purpose=SEALED_FOR).decode()


def audit_target(key: str, tenant_id: UUID | None) -> Target:
    return Target(type="configuration", id=key, tenant_id=tenant_id)


def declaration_lock(name: str) -> str:
    """What the advisory lock on a declaration is named: shared by those who set values of the key."""
    return f"configuration-key:{name}"


class DeclaredKey(models.Model):
    """A key that an operator declared, beside those that code declares (apps.core.knobs)."""

    name = models.CharField(primary_key=True, max_length=120)
    type = models.CharField(max_length=8, choices=KeyType.choices)
    default = models.TextField(null=True, help_text="canonical text; empty: no value")
    minimum = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    maximum = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    choices: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=200), default=list)
    tenants_too = models.BooleanField(default=False, help_text="a tenant may have a value of its own")
    is_secret = models.BooleanField(default=False)
    description = models.TextField(max_length=500)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "configuration_declared_key"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="declared_key_name", condition=Q(name__regex=_KEY_PATTERN)),
            models.CheckConstraint(name="declared_key_type", condition=Q(type__in=KeyType.values)),
            models.CheckConstraint(
                name="declared_key_choices",
                condition=Q(type=KeyType.CHOICE, choices__len__gt=0) | ~Q(type=KeyType.CHOICE),
            ),
            models.CheckConstraint(
                name="declared_key_bounds",
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(minimum__lte=F("maximum")),
            ),
            models.CheckConstraint(
                name="declared_key_secret_has_no_default",
                condition=Q(is_secret=False) | Q(default__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def knob(self) -> Knob[Any]:
        """The same as a knob of the catalogue.

        Raises:
            ValueWrong: the default does not fit the declaration.
        """
        return declared_knob(
            name=self.name,
            type_=self.type,
            default=self.default,
            minimum=self.minimum,
            maximum=self.maximum,
            choices=tuple(self.choices),
            tenants_too=self.tenants_too,
            secret=self.is_secret,
            description=self.description,
        )


def declared_knob(
    *,
    name: str,
    type_: str,
    default: str | None,
    minimum: Decimal | None,
    maximum: Decimal | None,
    choices: tuple[str, ...],
    tenants_too: bool,
    secret: bool,
    description: str,
) -> Knob[Any]:
    """A knob from the columns of a declaration.

    Raises:
        ValueWrong: the default does not fit.
    """
    shape = Shape(
        ValueType(type_),
        minimum=None if minimum is None else minimum.normalize(),
        maximum=None if maximum is None else maximum.normalize(),
        choices=choices,
    )
    return Knob(
        name=name,
        shape=shape,
        default=None if default is None else shape.parse(default),
        description=description,
        scopes=frozenset(Scope) if tenants_too else frozenset({Scope.PLATFORM}),
        secret=secret,
        section="Declared by operators",
    )


class ConfigValue(models.Model):
    """What a key is set to, for the platform or for one tenant. An archived value no longer counts."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    key = models.CharField(max_length=120)
    scope = models.CharField(max_length=8, choices=ValueScope.choices)
    tenant_id = models.UUIDField(null=True)
    value = models.TextField(null=True, help_text="canonical text; null where the key is secret")
    sealed = models.BinaryField(null=True, help_text="the value of a secret key")
    description = models.TextField(max_length=500, blank=True, default="")
    is_archived = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "configuration_value"
        ordering = ["key", "scope", "id"]
        verbose_name = "configuration value"
        constraints = [
            models.UniqueConstraint(
                name="config_value_one_live",
                fields=["key", "scope", "tenant_id"],
                condition=Q(is_archived=False),
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="config_value_tenant_iff_scoped", condition=_TENANT_IFF_SCOPED),
            models.CheckConstraint(
                name="config_value_plain_or_sealed",
                condition=Q(value__isnull=True, sealed__isnull=False)
                | Q(value__isnull=False, sealed__isnull=True),
            ),
            models.CheckConstraint(name="config_value_version", condition=Q(version__gte=1)),
        ]
        indexes = [
            models.Index(
                name="config_value_by_tenant", fields=["tenant_id"], condition=Q(tenant_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.scope})"

    @property
    def public_id(self) -> str:
        return ids.public(CONFIG, self.id)

    @property
    def is_secret(self) -> bool:
        return self.sealed is not None

    @property
    def shown(self) -> str:
        """The value as people may see it: a secret is masked."""
        return MASK if self.value is None else self.value

    def audit_target(self) -> Target:
        return audit_target(self.key, self.tenant_id)


class ConfigChange(models.Model):
    """One revision: what a key was and became, for the platform or for one tenant. Never changed once written."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    key = models.CharField(max_length=120)
    scope = models.CharField(max_length=8, choices=ValueScope.choices)
    tenant_id = models.UUIDField(null=True)
    changed_at = models.DateTimeField(db_default=Now())
    # Principal.id of who did it: stable, and no personal datum. The trail knows the person.
    changed_by = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True, default="")
    version = models.PositiveIntegerField(help_text="the version of the value after the change")
    old_value = models.TextField(null=True)
    new_value = models.TextField(null=True, help_text="null: archived, or secret")
    old_sealed = models.BinaryField(null=True)
    new_sealed = models.BinaryField(null=True)
    restored_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        db_table = "configuration_change"
        ordering = ["-id"]
        verbose_name = "configuration change"
        constraints = [
            models.CheckConstraint(name="config_change_tenant_iff_scoped", condition=_TENANT_IFF_SCOPED),
            models.CheckConstraint(
                name="config_change_not_both",
                condition=~(Q(new_value__isnull=False) & Q(new_sealed__isnull=False))
                & ~(Q(old_value__isnull=False) & Q(old_sealed__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="config_change_by_key", fields=["key", "-id"]),
            models.Index(
                name="config_change_by_tenant", fields=["tenant_id"], condition=Q(tenant_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"

    @property
    def old_shown(self) -> str | None:
        """The value before, as people may see it."""
        return MASK if self.old_sealed is not None else self.old_value

    @property
    def new_shown(self) -> str | None:
        """The value after, as people may see it; None: it was archived."""
        return MASK if self.new_sealed is not None else self.new_value
