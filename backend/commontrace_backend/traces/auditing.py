"""Does everything stand as it was logged? Every row of traces against the log, and the log against its tree."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, select

from commontrace.merkle import leaf_hash, node_hash
from commontrace.models.canonical import canonical
from commontrace.models.log import LogProblem, ProblemKind
from commontrace.models.traces import TraceContent
from commontrace.versions import version_id
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.log import store as log
from commontrace_backend.traces.ledger import TABLES, leaf_of, log_all, subject_of
from commontrace_backend.traces.tables import traces

_AT_ONCE: Final = 200
_MOST: Final = 1_000
"""Problems that are named; more do not help."""


async def audit(session: ReadSession, caller: Caller | None) -> tuple[int, int, list[LogProblem]]:
    """How many leaves and traces there are, and all that is not as it was logged.

    Args:
        session: one consistent view.
        caller: whose organization's traces are looked at; those of all with None. The tree is looked at in any case.
    """
    problems = await _tree(session)
    count = 0
    async for trace_ids in _batches(session, caller):
        count += len(trace_ids)
        problems += await _rows(session, trace_ids)
        if len(problems) >= _MOST:
            break
    return await log.size(session), count, problems[:_MOST]


async def adopt(session: WriteSession) -> None:
    """Begin the log of a store that is older than it: take in everything as it stands."""
    await log_all(session, TABLES)


async def is_unlogged(session: ReadSession) -> bool:
    """Whether a store has traces and no log."""
    return not await log.size(session) and await session.first(select(traces.c.number).limit(1)) is not None


async def _tree(session: ReadSession) -> list[LogProblem]:
    """Leaves that are not what they say, gaps, and nodes that do not stand for what is below them."""
    found: list[LogProblem] = []
    level: list[bytes] = []
    while rows := await log.leaves_from(session, len(level)):
        for row in rows:
            if row.leaf_index != len(level):
                return [*found, _problem("broken", None, f"leaf {len(level)} is gone")]
            if row.facts is not None and leaf_hash(canonical(row.facts)).hex() != row.leaf_hash:
                found.append(_problem("broken", row.trace_id, f"leaf {row.leaf_index} is not what was logged"))
            level.append(bytes.fromhex(row.leaf_hash))
    return [*found, *await _nodes(session, level)]


async def _nodes(session: ReadSession, leaves: list[bytes]) -> list[LogProblem]:
    kept: dict[tuple[int, int], str] = {}
    after = (0, -1)
    while rows := await log.nodes_from(session, after):
        kept.update({(row.level, row.position): row.node_hash for row in rows})
        after = (rows[-1].level, rows[-1].position)
    level, below = 0, leaves
    made = {(0, place): leaf.hex() for place, leaf in enumerate(leaves)}
    while len(below) > 1:
        level += 1
        below = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        made.update({(level, position): one.hex() for position, one in enumerate(below)})
    wrong = sorted(place for place in made.keys() | kept.keys() if made.get(place) != kept.get(place))
    return [_problem("broken", None, f"the log's node {place} does not stand for its leaves") for place in wrong[:10]]


async def _batches(session: ReadSession, caller: Caller | None) -> Any:
    last = 0
    mine = () if caller is None else (traces.c.tenant_id == caller.tenant_id,)
    while True:
        statement = select(traces.c.number, traces.c.trace_id).where(traces.c.number > last, *mine)
        rows = await session.all(statement.order_by(traces.c.number).limit(_AT_ONCE))
        if not rows:
            return
        last = rows[-1].number
        yield [row.trace_id for row in rows]


async def _rows(session: ReadSession, trace_ids: Sequence[str]) -> list[LogProblem]:
    logged: dict[tuple[str, str, str], Mapping[str, Any] | None] = {}
    purged: set[str] = set()
    for leaf in await log.leaves_of(session, trace_ids):
        logged[leaf.trace_id, leaf.kind, leaf.subject] = leaf.facts
        if leaf.kind == "purge":
            purged.add(leaf.trace_id)
    found: list[LogProblem] = []
    there = set()
    for kind, table in TABLES.items():
        named = select(table).where(table.c.trace_id.in_(trace_ids))
        for row in await session.all(across(named, "the traces were chosen by their tenant")):
            key = (row.trace_id, kind, subject_of(kind, row))
            there.add(key)
            found += _compared(kind, row, key in logged, logged.get(key), purged=row.trace_id in purged)
    gone = [key for key in logged if key[1] in TABLES and key not in there]
    return found + [
        _problem("missing", one[0], f"its {one[1]} {one[2][:12]} is gone".replace("  ", " ")) for one in gone
    ]


def _compared(
    kind: str, row: Row[Any], is_logged: bool, facts: Mapping[str, Any] | None, *, purged: bool
) -> Iterator[LogProblem]:
    if not is_logged:
        yield _problem("unlogged", row.trace_id, f"nobody logged its {kind} {subject_of(kind, row)[:12]}".rstrip())
        return
    now = leaf_of(kind, row).told()
    differ = [] if facts is None else sorted(name for name, value in now.items() if facts.get(name) != value)
    if differ:
        named = f"its {kind} {subject_of(kind, row)[:12]}".rstrip()
        yield _problem("changed", row.trace_id, f"{named} is not as it was logged: {', '.join(differ)}")
    if kind == "version" and not purged and _id_of(row.content) != row.version_id:
        yield _problem("changed", row.trace_id, f"the content of its version {row.number} was changed")


def _id_of(content: Any) -> str:
    try:
        return version_id(TraceContent.model_validate(content))
    except ValueError:
        return ""


def _problem(kind: ProblemKind, trace_id: str | None, what: str) -> LogProblem:
    return LogProblem(kind=kind, trace_id=trace_id, what=what)
