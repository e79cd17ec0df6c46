"""Prerequisites as a graph: no circle, and no chain that is too long to follow."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from apps.flags.engine.model import Flag
from apps.flags.engine.reading import Malformed

Edges: TypeAlias = Mapping[str, Sequence[str]]

# How many flags may stand in a row, each the prerequisite of the one before.
MAX_DEPTH = 10


class Cycle(Malformed):
    """`path`: the flags in order; the first is the last."""

    def __init__(self, path: list[str]) -> None:
        super().__init__("prerequisites", f"The prerequisites run in a circle: {' → '.join(path)}.")
        self.path = path


class TooDeep(Malformed):
    def __init__(self, path: list[str]) -> None:
        chain = " → ".join(path)
        super().__init__(
            "prerequisites", f"A chain has at most {MAX_DEPTH} prerequisites; this is one: {chain}."
        )
        self.path = path


def check_prerequisites(flag: Flag, others: Mapping[str, Flag]) -> None:
    """What `flag` would make of the flags that there are (`others` may hold its old definition).

    Raises:
        Malformed: an unknown flag or variation.
        Cycle: with the path.
        TooDeep: a chain through this flag is longer than `MAX_DEPTH`.
    """
    flags = {**others, flag.key: flag}
    for number, wanted in enumerate(flag.prerequisites):
        other = flags.get(wanted.key)
        where = f"prerequisites.{number}"
        if other is None:
            raise Malformed(f"{where}.key", f"There is no flag {wanted.key!r}.")
        if all(each.key != wanted.variation for each in other.variations):
            raise Malformed(f"{where}.variation", f"{wanted.key} has no variation {wanted.variation!r}.")
    edges = _edges(flags.values())
    _refuse_circle(flag.key, edges)
    below, above = _longest(flag.key, edges), _longest(flag.key, _turned(edges))
    if len(below) + len(above) - 2 > MAX_DEPTH:
        raise TooDeep([*reversed(above[1:]), *below])


def broken(flags: Mapping[str, Flag]) -> frozenset[str]:
    """Flags that stand on a circle, a missing flag or too long a chain: their prerequisites never hold.

    Nothing of the kind gets through `check_prerequisites`; this makes evaluation safe whatever the tables hold, and
    the same from wherever it starts.
    """
    depths: dict[str, float] = {}
    for key in flags:
        _measure(key, flags, depths)
    return frozenset(key for key, depth in depths.items() if depth > MAX_DEPTH)


def _measure(start: str, flags: Mapping[str, Flag], depths: dict[str, float]) -> None:
    """Depth of each flag below `start`, infinite on and above a circle; without recursion."""
    stack, under_way = [start], {start}
    while stack:
        key = stack[-1]
        wanted = [each.key for each in flags[key].prerequisites if each.key in flags]
        circle = any(each in under_way for each in wanted)
        missing = None if circle else next((each for each in wanted if each not in depths), None)
        if missing is not None:
            stack.append(missing)
            under_way.add(missing)
            continue
        lost = circle or len(wanted) < len(flags[key].prerequisites)
        depths[key] = float("inf") if lost else max((depths[each] + 1 for each in wanted), default=0)
        stack.pop()
        under_way.discard(key)


def _edges(flags: Iterable[Flag]) -> Edges:
    return {flag.key: [each.key for each in flag.prerequisites] for flag in flags}


def _turned(edges: Edges) -> Edges:
    """Who is needed by whom."""
    found: dict[str, list[str]] = {}
    for key, wanted in edges.items():
        for each in wanted:
            found.setdefault(each, []).append(key)
    return found


def _refuse_circle(start: str, edges: Edges) -> None:
    """A flag that was let in before stands on no circle, so each circle goes through `start`."""
    seen: set[str] = set()
    stack = [[start]]
    while stack:
        way = stack.pop()
        for each in edges.get(way[-1], ()):
            if each == start:
                raise Cycle([*way, each])
            if each not in seen:
                seen.add(each)
                stack.append([*way, each])


def _longest(start: str, edges: Edges) -> list[str]:
    """The longest chain from `start`, cut off where it is surely too long. There is no circle."""
    best: dict[str, list[str]] = {}

    def chain(key: str, depth: int) -> list[str]:
        if key not in best:
            ways = [chain(each, depth + 1) for each in edges.get(key, ())] if depth <= 2 * MAX_DEPTH else []
            best[key] = [key, *max(ways, key=len, default=[])]
        return best[key]

    return chain(start, 0)
