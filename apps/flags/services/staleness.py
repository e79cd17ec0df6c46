"""Which flags are the same for every tenant: with their age, a sign that they are no longer needed."""

from datetime import timedelta
from itertools import islice

from apps.core.clock import now
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.flags.engine import Snapshot
from apps.flags.knobs import STALE_DAYS
from apps.flags.models import Flag

# Beyond so many tenants a sample answers.
_MOST_TENANTS = 2_000


def find_settled(*, actor: Principal, snapshot: Snapshot, at: float) -> int:
    """Looks at every flag that did not change for long enough to count as settled, each time anew: what a flag comes to
    changes with tenants, overrides and other flags, too. Answers of how many it found something else than before.

    A rule that asks for something of the context (a user, a version) may hold for some: such a flag is not settled.
    """
    since = now() - timedelta(days=STALE_DAYS.get())
    rows = Flag.objects.filter(is_archived=False, updated_at__lte=since)
    known = sorted(snapshot.tenant_ids())
    tenants = known[:: len(known) // _MOST_TENANTS + 1]
    other: list[tuple[str, int, bool]] = []
    for key, version, before in rows.values_list("key", "version", "same_for_all"):
        if key in snapshot and (found := _is_same_for_all(snapshot, key, tenants, at)) != before:
            other.append((key, version, found))
    if not other:
        return 0
    with write("flag.find_settled", actor=actor, target=Target(type="flag", id="*")) as w:
        # In sorted order, as overrides of several flags: so such writes never wait for each other in a circle.
        for key, version, found in sorted(other):
            Flag.objects.filter(key=key, version=version).update(same_for_all=found)
        w.note(flags=len(other))
    return len(other)


def _is_same_for_all(snapshot: Snapshot, key: str, tenants: list[str], at: float) -> bool:
    if snapshot.depends_on_context(key):
        return False
    # Who has an override first: a sample may know none of them.
    given = list(islice(snapshot.compiled[key].overrides, _MOST_TENANTS))
    return len(_outcomes(snapshot, key, [*given, *tenants], at)) <= 1


def _outcomes(snapshot: Snapshot, key: str, tenants: list[str], at: float) -> set[str]:
    found: set[str] = set()
    for tenant in tenants:
        decision = snapshot.evaluate(key, tenant, {}, at=at)
        found.add(decision.variation if decision is not None else "")
        if len(found) > 1:
            break
    return found
