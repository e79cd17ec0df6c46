"""Which flags are the same for every tenant: with their age, a sign that they are no longer needed."""

from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.flags.engine import Snapshot
from apps.flags.models import Flag

# Beyond so many tenants a sample answers.
_MOST_TENANTS = 2_000


def find_settled(*, actor: Principal, snapshot: Snapshot, at: float) -> int:
    """Looks at the flags whose present version was not looked at. Answers how many it looked at.

    A rule that asks for something of the context (a user, a version) may hold for some: such a flag is not settled.
    """
    keys = list(Flag.objects.filter(is_archived=False, same_for_all=None).values_list("key", "version"))
    if not keys:
        return 0
    known = sorted(snapshot.tenant_ids())
    tenants = known[:: len(known) // _MOST_TENANTS + 1]
    with write("flag.find_settled", actor=actor, target=Target(type="flag", id="*")) as w:
        for key, version in keys:
            if key not in snapshot:
                continue
            same = not snapshot.depends_on_context(key) and len(_outcomes(snapshot, key, tenants, at)) <= 1
            Flag.objects.filter(key=key, version=version).update(same_for_all=same)
        w.note(flags=len(keys))
    return len(keys)


def _outcomes(snapshot: Snapshot, key: str, tenants: list[str], at: float) -> set[str]:
    found: set[str] = set()
    for tenant in tenants:
        decision = snapshot.evaluate(key, tenant, {}, at=at)
        found.add(decision.variation if decision is not None else "")
        if len(found) > 1:
            break
    return found
