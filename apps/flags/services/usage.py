"""How often flags are evaluated: for sparklines, and to find flags that nobody asks for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from apps.core.clock import now
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.flags.knobs import USAGE_DAYS
from apps.flags.models import Flag, FlagUsage

_ADD = (
    "INSERT INTO flags_usage (flag_id, hour, variation, count) "
    "SELECT f.id, %s, %s, %s FROM flags_flag f WHERE f.key = %s "
    "ON CONFLICT (flag_id, hour, variation) DO UPDATE "
    "SET count = least(flags_usage.count::numeric + excluded.count, 9223372036854775807)::bigint"
)
# Of rows that somebody changes just now the next answer tells; nobody waits for anybody, in no circle.
_HAND_OUT = (
    "UPDATE flags_flag SET handed_out_at = now() WHERE id IN (SELECT id FROM flags_flag WHERE NOT is_archived "
    "AND coalesce(handed_out_at, '-infinity') < now() - interval '1 hour' FOR UPDATE SKIP LOCKED)"
)
# Services report late: what is older is counted under the oldest hour that is still taken.
OLDEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Count:
    """`count` evaluations of a flag in the hour of `at`; `variation` is "" where it was not told."""

    key: str
    count: int
    variation: str = ""
    at: datetime | None = None


def add_counts(counts: Mapping[tuple[str, str], int]) -> None:
    """Adds what this process counted by (flag, variation). No audit row: nobody decided anything.

    Raises:
        DatabaseError: the database is away; nothing was added.
    """
    here = now()
    _add({(key, _hour(here, here), variation): count for (key, variation), count in counts.items()})


def note_handed_out() -> None:
    """Notes that clients were given every flag. No audit row, as above.

    Raises:
        DatabaseError: the database is away.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OUT)


def record_usage(*, actor: Principal, counts: Sequence[Count]) -> list[str]:
    """Adds what a service counted. Answers the keys that are no flag's; they are not counted."""
    asked = {each.key for each in counts}
    known = set(Flag.objects.filter(key__in=asked).values_list("key", flat=True))
    here = now()
    sums: Counter[tuple[str, datetime, str]] = Counter()
    for each in counts:
        if each.key in known and each.count > 0:
            sums[each.key, _hour(each.at or here, here), each.variation] += each.count
    with write("flag.record_usage", actor=actor, target=Target(type="flag", id="*")) as w:
        _add(sums)
        w.note(flags=len({key for key, _, _ in sums}), evaluations=sum(sums.values()))
    return sorted(asked - known)


def prune_usage(*, actor: Principal) -> int:
    """Removes counts beyond their retention. Answers how many rows went."""
    due = FlagUsage.objects.filter(hour__lt=now() - timedelta(days=USAGE_DAYS.get()))
    if not due.exists():
        return 0
    with write("flag.prune_usage", actor=actor, target=Target(type="flag", id="*")) as w:
        gone = due.delete()[0]
        w.note(rows=gone)
    return gone


def _add(sums: Mapping[tuple[str, datetime, str], int]) -> None:
    # In one order, so that two reports never wait for each other in a circle.
    rows = [(hour, variation, count, key) for (key, hour, variation), count in sorted(sums.items())]
    if rows:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_ADD, rows)


def _hour(at: datetime, here: datetime) -> datetime:
    return min(max(at, here - OLDEST), here).replace(minute=0, second=0, microsecond=0)
