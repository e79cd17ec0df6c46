"""Where every read of flags starts."""

from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.core.access import allows
from apps.core.principal import Principal, PrincipalKind
from apps.flags.models import Flag, FlagUsage, Segment, TenantOverride

# What a token of a service or of a person outside the staff must carry (contracts/service.md).
SUPER_ADMIN_SCOPE = "SUPER_ADMIN"


def may_read(principal: Principal) -> bool:
    """Staff by the matrix of roles, tokens by their scope; Steward itself always."""
    if principal.kind is PrincipalKind.SYSTEM:
        return True
    return allows(principal, "flags.read") or SUPER_ADMIN_SCOPE in principal.scopes


def visible_to(principal: Principal) -> QuerySet[Flag]:
    """The flags that the caller may see."""
    return Flag.objects.all() if may_read(principal) else Flag.objects.none()


def segments_visible_to(principal: Principal) -> QuerySet[Segment]:
    return Segment.objects.all() if may_read(principal) else Segment.objects.none()


def with_overrides_count(rows: QuerySet[Flag], at: datetime) -> QuerySet[Flag]:
    """Each with `overrides_count`: those in force."""
    in_force = Q(overrides__expires_at__isnull=True) | Q(overrides__expires_at__gt=at)
    return rows.annotate(overrides_count=Count("overrides", filter=in_force))


def using_segment(key: str) -> QuerySet[Flag]:
    """Flags with a rule that names the segment, archived ones too: they can be restored."""
    return Flag.objects.filter(rules__contains=[{"conditions": [{"segment": key}]}])


def expired(at: datetime) -> Q:
    return Q(expires_at__lte=at)


def settled(since: datetime) -> Q:
    """Unchanged, and the same for every tenant: by its definition alone, or because a job found it so."""
    plain = Q(rules=[], prerequisites=[]) & (
        Q(rollout__isnull=True)
        | Q(rollout__percentage=0)
        | Q(rollout__percentage=100)
        | Q(default_enabled=True)
    )
    overridden = Exists(TenantOverride.objects.filter(flag=OuterRef("pk")))
    return Q(updated_at__lte=since) & (Q(same_for_all=True) | (plain & ~Q(overridden)))


def not_evaluated(since: datetime) -> Q:
    """Nobody asked for it, for as long as it had the chance; nor was it given to clients that take every flag."""
    asked = Q(Exists(FlagUsage.objects.filter(flag=OuterRef("pk"), hour__gt=since)))
    return Q(created_at__lte=since) & ~(asked | Q(handed_out_at__gt=since))


def stale(at: datetime, days: int) -> Q:
    """Live flags that may be no longer needed (apps.flags.enums.StaleReason)."""
    since = at - timedelta(days=days)
    return Q(is_archived=False) & (expired(at) | settled(since) | not_evaluated(since))
