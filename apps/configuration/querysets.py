"""Where every read of the configuration starts."""

from uuid import UUID

from django.db.models import QuerySet

from apps.configuration.models import ConfigChange, ConfigValue
from apps.core.access import allows
from apps.core.principal import Principal, PrincipalKind

# What a token of a service or of a person outside the staff must carry (contracts/service.md).
SUPER_ADMIN_SCOPE = "SUPER_ADMIN"


def may_read(principal: Principal) -> bool:
    """Staff by the matrix of roles, tokens by their scope; automation keys and Steward itself always."""
    if principal.kind in {PrincipalKind.KEY, PrincipalKind.SYSTEM}:
        return True
    return allows(principal, "configuration.read") or SUPER_ADMIN_SCOPE in principal.scopes


def visible_to(principal: Principal) -> QuerySet[ConfigValue]:
    """The values that the caller may see."""
    return ConfigValue.objects.all() if may_read(principal) else ConfigValue.objects.none()


def changes_visible_to(principal: Principal) -> QuerySet[ConfigChange]:
    """The revisions that the caller may see."""
    return ConfigChange.objects.all() if may_read(principal) else ConfigChange.objects.none()


def live_at(key: str, scope: str, tenant_id: UUID | None) -> QuerySet[ConfigValue]:
    """The value of one key that counts for the platform, or for one tenant: one row or none."""
    return ConfigValue.objects.filter(key=key, scope=scope, tenant_id=tenant_id, is_archived=False)
