"""The Merkle tree: what its proofs prove, against the definition of RFC 6962."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.checkpoints import Signer, opened
from commontrace.errors import InvalidInputError
from commontrace.merkle import (
    EMPTY,
    Node,
    completed,
    consistency,
    inclusion,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    peaks,
    root_of,
)

SIZES = st.integers(1, 130)


class Tree:
    """Every full node of a tree whose leaves are numbers."""

    def __init__(self, size: int, *, other: int = -1) -> None:
        self.leaves = [leaf_hash(b"other" if number == other else str(number).encode()) for number in range(size)]
        self.nodes: dict[Node, bytes] = {(0, place): leaf for place, leaf in enumerate(self.leaves)}
        for index in range(size):
            for level, place in completed(index):
                below = [self.nodes[level - 1, 2 * place], self.nodes[level - 1, 2 * place + 1]]
                self.nodes[level, place] = node_hash(*below)

    async def fetch(self, nodes: Sequence[Node]) -> list[bytes]:
        return [self.nodes[node] for node in nodes]

    def root(self, size: int) -> bytes:
        return root_of([self.nodes[node] for node in peaks(size)])


def defined(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    cut = 1
    while 2 * cut < len(leaves):
        cut *= 2
    return node_hash(defined(leaves[:cut]), defined(leaves[cut:]))


@given(SIZES)
def test_the_root_is_the_one_that_is_defined(size: int) -> None:
    tree = Tree(size)
    assert tree.root(size) == defined(tree.leaves)
    assert root_of([]) == EMPTY


@given(SIZES, st.data())
def test_a_path_proves_its_leaf_and_no_other(size: int, data: st.DataObject) -> None:
    tree = Tree(size)
    index = data.draw(st.integers(0, size - 1))
    path = asyncio.run(inclusion(tree.fetch, index, size))
    root = tree.root(size)
    assert is_included(tree.leaves[index], index, size, path, root)
    assert not is_included(leaf_hash(b"other"), index, size, path, root)
    assert not is_included(tree.leaves[index], size, size, path, root)
    assert not is_included(tree.leaves[index], index, size, [*path, root], root)
    if path:
        assert not is_included(tree.leaves[index], index ^ 1, size, path, root)
        assert not is_included(tree.leaves[index], index, size, path[1:], root)


@given(SIZES, st.data())
def test_a_log_that_grew_is_consistent_and_one_that_was_rewritten_is_not(size: int, data: st.DataObject) -> None:
    tree = Tree(size)
    before = data.draw(st.integers(1, size))
    path = asyncio.run(consistency(tree.fetch, before, size))
    roots = tree.root(before), tree.root(size)
    assert is_consistent(before, size, roots, path)
    changed = Tree(size, other=data.draw(st.integers(0, before - 1)))
    lied = asyncio.run(consistency(changed.fetch, before, size))
    assert not is_consistent(before, size, (roots[0], changed.root(size)), lied)
    assert not is_consistent(before, size, roots, [*path, roots[0]])
    assert not is_consistent(size + 1, size, roots, path)
    if path:
        assert not is_consistent(before, size, roots, path[:-1])


def test_an_empty_log_is_the_beginning_of_every_log() -> None:
    assert is_consistent(0, 5, (EMPTY, Tree(5).root(5)), [])
    assert is_consistent(0, 0, (EMPTY, EMPTY), [])
    assert not is_consistent(0, 0, (EMPTY, leaf_hash(b"")), [])


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
def test_a_signed_checkpoint_says_what_was_signed(secret: bytes, size: int, root: bytes) -> None:
    signer = Signer(secret)
    note = signer.sign(size, root)
    found = opened(note, signer.verifier)
    assert (found.origin, found.size, found.root) == (signer.origin, size, root)
    with pytest.raises(InvalidInputError, match="not signed by the key"):
        opened(note.replace(f"\n{size}\n", f"\n{size + 1}\n", 1), signer.verifier)


@pytest.mark.parametrize("note", ["", "a\nb\nc\n\n— x y\n", "no note at all", "a\n1\n\n— a AAAA\n"])
def test_what_is_no_signed_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(InvalidInputError, match="not signed by the key"):
        opened(note, Signer(b"1" * 32).verifier)


def test_a_checkpoint_that_another_key_signed_is_refused() -> None:
    mine, yours = Signer(b"1" * 32), Signer(b"2" * 32)
    with pytest.raises(InvalidInputError, match="not signed by the key"):
        opened(yours.sign(1, b"3" * 32), mine.verifier)
    with pytest.raises(InvalidInputError, match="not signed by the key"):
        opened(yours.sign(1, b"3" * 32).replace(yours.origin, mine.origin), mine.verifier)
