"""The tree of hashes of RFC 6962, section 2.1: leaf SHA-256(0x00 + line), node SHA-256(0x01 + left + right)."""

import hashlib
from collections.abc import Sequence


def leaf_hash(line: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The root over lines that are given one after the other; keeps as many hashes as the tree is high."""

    def __init__(self) -> None:
        self._stack: list[tuple[int, bytes]] = []  # whole trees of falling height
        self.count = 0

    def add(self, line: bytes) -> None:
        height, own = 0, leaf_hash(line)
        while self._stack and self._stack[-1][0] == height:
            own = node_hash(self._stack.pop()[1], own)
            height += 1
        self._stack.append((height, own))
        self.count += 1

    def root(self) -> str:
        """In hex; of no lines, the hash of nothing."""
        if not self._stack:
            return hashlib.sha256().hexdigest()
        hashes = [own for _height, own in reversed(self._stack)]
        found = hashes[0]
        for left in hashes[1:]:
            found = node_hash(left, found)
        return found.hex()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The tree from its leaves to its root; a node without a neighbour goes up as it is."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        below = found[-1]
        above = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        found.append(above + below[len(below) & ~1 :])
    return found


def path(tree: Sequence[Sequence[bytes]], at: int) -> list[str]:
    """What leads from leaf `at` to the root: `L` or `R`, the side on which to set it, and a hash in hex."""
    steps = []
    for level in tree[:-1]:
        beside = at ^ 1
        if beside < len(level):
            steps.append(("L" if beside < at else "R") + level[beside].hex())
        at //= 2
    return steps
