"""Sessions of Nile that were seen here.

Traces, as the counts of sign-in attempts are: no act of anybody, so the trail has no row of them.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q

from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.identity.models import ExternalIdentity, NileSession

# Nile ends a session that is idle for 30 days; twice that.
KEPT_DAYS = 60


def see_session(*, identity: ExternalIdentity, digest: str, moment: datetime) -> datetime:
    """Keeps when a session was first seen; answers that, an earlier moment where it was known already."""
    NileSession.objects.bulk_create(
        [NileSession(digest=digest, identity=identity, first_seen_at=moment)], ignore_conflicts=True
    )
    return NileSession.objects.values_list("first_seen_at", flat=True).get(digest=digest)


def prune_nile_sessions(*, actor: Principal, moment: datetime) -> int:
    """Deletes what is older than any session that Nile may still have; revoked ones stay. Answers how many."""
    stamp = F("identity__user__tokens_valid_after")
    in_force = Q(identity__user__tokens_valid_after__isnull=True) | Q(first_seen_at__gt=stamp)
    old = NileSession.objects.filter(in_force, first_seen_at__lt=moment - timedelta(days=KEPT_DAYS))
    digests = list(old.values_list("digest", flat=True)[:10_000])
    if not digests:
        return 0
    with write("nile_session.prune", actor=actor, target=Target(type="nile_session", id="ended")) as w:
        gone = NileSession.objects.filter(digest__in=digests).delete()[0]
        w.note(sessions=gone)
        return gone
