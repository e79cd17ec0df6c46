"""Choices of the configuration's tables."""

from django.db.models import TextChoices

from apps.core.knobs import Scope, ValueType


class ValueScope(TextChoices):
    PLATFORM = Scope.PLATFORM.value, "Platform"
    TENANT = Scope.TENANT.value, "Tenant"


class KeyType(TextChoices):
    INTEGER = ValueType.INTEGER.value, "Integer"
    NUMBER = ValueType.NUMBER.value, "Number"
    BOOLEAN = ValueType.BOOLEAN.value, "Boolean"
    STRING = ValueType.STRING.value, "String"
    CHOICE = ValueType.CHOICE.value, "Choice"
    JSON = ValueType.JSON.value, "JSON"


class Origin(TextChoices):
    """Which value is in force."""

    TENANT = "tenant", "Tenant"
    PLATFORM = "platform", "Platform"
    DEFAULT = "default", "Default"
