"""Tenants that nobody belongs to get their creator as owner."""

from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Lower

from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.tenants import facts
from apps.tenants.enums import PurgeStatus
from apps.tenants.models import Purge, Tenant
from apps.users.enums import MembershipRole
from apps.users.models import Membership, User

_LOCK = 727_103
_BATCH = 1_000
# So many of the tenants does the row in the trail name.
_NAMED = 100


def backfill_members(*, actor: Principal, reason: str = "") -> int:
    """Makes the creator of every tenant without any member its owner, and says of how many.

    The creator is the person with the owner's e-mail address; a tenant whose creator has no account is left alone.
    Safe to repeat, and to run twice at once: the second waits for the first, and finds nothing left to do.
    """
    target = Target(type="membership", id="backfill")
    with write("membership.backfill", actor=actor, target=target, reason=reason) as w:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        found = _orphans()
        seeded: list[UUID] = []
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            # Somebody may have been made a member by hand in between: then they are.
            Membership.objects.bulk_create(
                [
                    Membership(tenant_id=tenant_id, user_id=user_id, role=MembershipRole.OWNER)
                    for tenant_id, _, user_id in batch
                ],
                ignore_conflicts=True,
            )
            seeded += [tenant_id for tenant_id, _, _ in batch]
        if seeded:
            facts.refresh("members", *seeded)
        w.note(seeded=len(seeded), tenants=[slug for _, slug, _ in found[:_NAMED]])
        return len(seeded)


def _orphans() -> list[tuple[UUID, str, UUID]]:
    """Id and slug of tenants without a member, each with its creator."""
    people = User.objects.filter(email=Lower(OuterRef("owner_email")))
    members = Membership.objects.filter(tenant=OuterRef("pk"))
    # One that is being purged is without members because they were removed.
    ending = Purge.objects.filter(tenant_id=OuterRef("pk"), status=PurgeStatus.RUNNING)
    without = Tenant.objects.filter(~Exists(members), ~Exists(ending))
    found = without.annotate(creator=Subquery(people.values("pk")[:1])).exclude(creator=None).order_by("pk")
    return list(found.values_list("pk", "slug", "creator"))
