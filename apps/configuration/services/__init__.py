"""Changes of the configuration."""

from apps.configuration.services.keys import KeyDeclaration, declare_key, redeclare_key, undeclare_key
from apps.configuration.services.values import (
    archive_value,
    remove_tenant,
    restore_revision,
    set_value,
    set_values,
)

__all__ = [
    "KeyDeclaration",
    "archive_value",
    "declare_key",
    "redeclare_key",
    "remove_tenant",
    "restore_revision",
    "set_value",
    "set_values",
    "undeclare_key",
]
