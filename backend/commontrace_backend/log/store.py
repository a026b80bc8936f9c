"""SQL for the log: adding a leaf with the nodes that are full with it, and reading nodes for proofs."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, func, insert, select, update

from commontrace.merkle import EMPTY, Node, completed, leaf_hash, node_hash, peaks, root_of
from commontrace.models.canonical import canonical
from commontrace_backend.database.session import QUICK, ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.log.tables import log_leaves, log_nodes

BATCH: Final = 1_000
_SALT: Final = 16  # bytes, so that nobody can guess what a leaf was from its hash once it is purged

_NEWEST: Final = select(func.max(log_nodes.c.position)).where(log_nodes.c.level == 0).execution_options(**QUICK)
_NODE: Final = (
    select(log_nodes.c.node_hash)
    .where(and_(log_nodes.c.level == bindparam("at"), log_nodes.c.position == bindparam("place")))
    .execution_options(**QUICK)
)
_ADD_LEAF: Final = insert(log_leaves).execution_options(**QUICK)
_ADD_NODE: Final = insert(log_nodes).execution_options(**QUICK)


async def size(session: ReadSession) -> int:
    """How many leaves there are."""
    newest = await session.scalar(_NEWEST)
    return 0 if newest is None else int(newest) + 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is to be logged.

    Attributes:
        tenant_id: whose it is.
        kind: `version`, `trace`, `outcome`, `tombstone` or `purge`.
        trace_id: the trace that it is about.
        subject: what of the trace; empty for the trace itself.
        facts: what is hashed beside these, as JSON takes it.
    """

    tenant_id: str
    kind: str
    trace_id: str
    subject: str
    facts: Mapping[str, Any]

    def told(self) -> dict[str, Any]:
        """All of it, as it is hashed."""
        about = {"kind": self.kind, "tenant_id": self.tenant_id, "trace_id": self.trace_id, "subject": self.subject}
        return {**self.facts, **about}


async def append(session: WriteSession, leaf: Leaf) -> int:
    """Add a leaf in the transaction of what it is about; returns its index.

    Writers wait for each other, so leaves have no gaps.
    """
    index = await size(session)
    facts = {**leaf.told(), "salt": secrets.token_hex(_SALT)}
    found = leaf_hash(canonical(facts))
    values = {"tenant_id": leaf.tenant_id, "kind": leaf.kind, "trace_id": leaf.trace_id, "subject": leaf.subject}
    now = datetime.now(UTC)
    row = {"leaf_index": index, **values, "facts": facts, "leaf_hash": found.hex(), "created_at": now}
    await session.write(_ADD_LEAF, row)
    await session.write(_ADD_NODE, {"level": 0, "position": index, "node_hash": found.hex()})
    for level, position in completed(index):
        found = node_hash(await _hash(session, (level - 1, 2 * position)), found)
        await session.write(_ADD_NODE, {"level": level, "position": position, "node_hash": found.hex()})
    return index


async def hashes(session: ReadSession, nodes: Sequence[Node]) -> list[bytes]:
    """The hashes of nodes that are full."""
    return [await _hash(session, node) for node in nodes]


async def _hash(session: ReadSession, node: Node) -> bytes:
    level, position = node
    found = await session.scalar(_NODE, {"at": level, "place": position})
    return bytes.fromhex(found) if found else b""


async def root(session: ReadSession, leaves: int) -> bytes:
    """The root of the tree of the first so many leaves."""
    return root_of(await hashes(session, peaks(leaves))) if leaves else EMPTY


async def leaves_of(session: ReadSession, trace_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """The leaves about some traces in order."""
    return await session.all(
        select(log_leaves).where(log_leaves.c.trace_id.in_(trace_ids)).order_by(log_leaves.c.leaf_index)
    )


async def forget(session: WriteSession, trace_id: str) -> None:
    """Keep of the leaves about a trace nothing but their hashes."""
    await session.write(update(log_leaves).where(log_leaves.c.trace_id == trace_id).values(facts=None))


async def leaves_from(session: ReadSession, start: int) -> Sequence[Row[Any]]:
    """A batch of leaves in order."""
    statement = across(select(log_leaves).where(log_leaves.c.leaf_index >= start), "an audit reads the whole log")
    return await session.all(statement.order_by(log_leaves.c.leaf_index).limit(BATCH))


async def nodes_from(session: ReadSession, after: Node) -> Sequence[Row[Any]]:
    """A batch of nodes behind one of them, by level and position."""
    level, position = after
    behind = (log_nodes.c.level > level) | and_(log_nodes.c.level == level, log_nodes.c.position > position)
    statement = select(log_nodes).where(behind).order_by(log_nodes.c.level, log_nodes.c.position)
    return await session.all(statement.limit(BATCH))
