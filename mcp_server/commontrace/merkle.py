"""The Merkle tree of RFC 6962, section 2: hashes, roots, and proofs that a log only grows. Pure.

A tree of n leaves is cut at the largest power of two below n. The nodes of its perfect subtrees never change once they
are full, so they are kept: a node (level, position) stands over the leaves position·2^level up to (position+1)·2^level.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

Node = tuple[int, int]
"""Level (0 are the leaves) and position from the left."""

EMPTY: Final = hashlib.sha256().digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """What stands for a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """What stands for two nodes."""
    return hashlib.sha256(b"\1" + left + right).digest()


def completed(index: int) -> list[Node]:
    """The nodes above a new leaf that are full with it, from the bottom; each of them over one that is kept already."""
    found = []
    level = 1
    while (index + 1) % (1 << level) == 0:
        found.append((level, index >> level))
        level += 1
    return found


def peaks(size: int) -> list[Node]:
    """The perfect subtrees that a tree of so many leaves is made of, from the left."""
    found, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append((level, start >> level))
            start += 1 << level
    return found


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over subtrees from the left, the smallest on the right."""
    if not hashes:
        return EMPTY
    *left, root = hashes
    for one in reversed(left):
        root = node_hash(one, root)
    return root


Fetch = Callable[[Sequence[Node]], Awaitable[list[bytes]]]
"""Gives the hashes of perfect subtrees, in order."""


async def range_root(fetch: Fetch, start: int, end: int) -> bytes:
    """The root over the leaves from `start` up to `end`, where they make a subtree of the tree: MTH(D[start:end])."""
    found = []
    for level, position in peaks(end - start):
        found.append((level, position + (start >> level)))
    return root_of(await fetch(found))


async def inclusion(fetch: Fetch, index: int, size: int) -> list[bytes]:
    """The audit path of a leaf (RFC 6962, 2.1.1): what leads from it to the root of a tree of `size` leaves."""
    path = []
    start, end = 0, size
    while end - start > 1:
        cut = start + _cut(end - start)
        if index < cut:
            path.append(await range_root(fetch, cut, end))
            end = cut
        else:
            path.append(await range_root(fetch, start, cut))
            start = cut
    return path[::-1]


async def consistency(fetch: Fetch, before: int, size: int) -> list[bytes]:
    """The proof that a tree of `before` leaves is the beginning of one of `size` (RFC 6962, 2.1.2)."""
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while before != end:
        cut = start + _cut(end - start)
        if before <= cut:
            path.append(await range_root(fetch, cut, end))
            end = cut
        else:
            path.append(await range_root(fetch, start, cut))
            start, whole = cut, False
    if not whole:
        path.append(await range_root(fetch, start, end))
    return path[::-1]


def _cut(size: int) -> int:
    """The largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves that a tree of `size` leaves with this root has this leaf there (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for sibling in path:
        if not last:
            return False
        if here & 1 or here == last:
            found = node_hash(sibling, found)
            here, last = _up(here, last)
        else:
            found = node_hash(found, sibling)
        here, last = here >> 1, last >> 1
    return not last and found == root


def is_consistent(before: int, size: int, roots: tuple[bytes, bytes], path: Sequence[bytes]) -> bool:
    """Whether a path proves that a tree of `before` leaves is the beginning of one of `size` (RFC 9162, 2.1.4.2).

    Args:
        before: leaves of the older tree.
        size: leaves of the newer one.
        roots: of the older and of the newer tree.
        path: as `consistency` gives it.
    """
    first, second = roots
    if before in {0, size} or before > size:
        return not path and (before < size or first == second) and before <= size
    steps = list(path) if before & (before - 1) else [first, *path]
    if not steps:
        return False
    here, last = _odd(before - 1, size - 1)
    old = new = steps[0]
    for sibling in steps[1:]:
        if not last:
            return False
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            here, last = _up(here, last)
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    return not last and (old, new) == (first, second)


def _up(here: int, last: int) -> tuple[int, int]:
    """Past the levels at which a node has no sibling to its right."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _odd(here: int, last: int) -> tuple[int, int]:
    """Past the levels at which a node is a right one."""
    while here & 1:
        here, last = here >> 1, last >> 1
    return here, last
