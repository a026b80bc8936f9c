"""Does what is derived from rows fit them? What does not is made anew; what cannot be is named."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Literal

from sqlalchemy import Row, func, select, text, update

from commontrace.errors import StoreUnusableError
from commontrace.models.operation import Examination, Fault
from commontrace.models.traces import TraceContent
from commontrace_backend.database.engine import Database, engine_of
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.index.any_index import index_for
from commontrace_backend.index.postgres_vectors import add_index, index_of, unindexed
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.index.tables import embedding_models, trace_vectors
from commontrace_backend.index.vectors import next_revision
from commontrace_backend.traces.embedding import hashes_of
from commontrace_backend.traces.tables import of_served_version, trace_versions, traces
from commontrace_backend.traces.upkeep import take_words
from commontrace_backend.traces.writing import document

_AT_ONCE: Final = 200
_ANEW: Final = "Run `commontrace doctor --repair`: it is made anew from rows."
_LOST: Final = "Restore a backup into a new place, or keep the file and save what can be read: `commontrace export`."
_INDEX_WORDS: Final = ("missing from index", "wrong # of entries in index", "non-unique entry in index")


async def examine(database: Database) -> Examination:
    """Everything that is wrong with a store of today's schema."""
    faults = [_of_file(problem) for problem in await database.damage()]
    try:
        pending = await _derived(database, faults)
    except StoreUnusableError as error:
        faults.append(Fault(part="file", what=error.detail, repairable=False, hint=_LOST))
        pending = 0
    return Examination(faults=faults, pending=pending)


async def repair(database: Database) -> Examination:
    """Make anew what can be, in steps between which others read and write; returns what is left."""
    found = await examine(database)
    parts = {fault.part for fault in found.faults if fault.repairable}
    if not parts:
        return found
    words = index_for(database, traces.c.number)
    async with database.writing(EVERY_TENANT) as session:
        if "file" in parts:
            await session.execute(text("REINDEX"))
        if "words" in parts:
            await words.empty(session)
        if "vectors" in parts:
            await _forget_wrong_vectors(session, engine_of(database))
    if "vectors" in parts and engine_of(database) == "postgresql":
        async with database.writing(EVERY_TENANT) as session:  # an index also holds what its own transaction forgot
            for model in await unindexed(session):
                await session.execute(text(f"DROP INDEX IF EXISTS {index_of(model)}"))
                await add_index(session, model)
    more = 1
    while more:
        async with database.writing(EVERY_TENANT) as session:
            more = await take_words(session, words)
    return (await examine(database)).model_copy(update={"repaired": True})


async def _derived(database: Database, faults: list[Fault]) -> int:
    words = index_for(database, traces.c.number)
    async with database.writing(EVERY_TENANT, durable=False) as writer:  # FTS5 has its check take the form of a write
        faults += [_repairable("words", what) for what in await words.faults(writer)]
    async with database.reading(EVERY_TENANT) as session:
        if not faults:  # who knows that it is made anew need not read all of it
            wrong = await _wrong_words(session, words)
            faults += [_repairable("words", f"of {wrong} traces they are not those of their texts")] if wrong else []
        wrong = len(await _wrong_vectors(session, engine_of(database)))
        faults += [_repairable("vectors", f"of {wrong} traces they are not of their texts")] if wrong else []
        if engine_of(database) == "postgresql":
            names = [index_of(model) for model in await unindexed(session)]
            faults += [
                _repairable("vectors", f"the HNSW index {name} is gone, or was never finished") for name in names
            ]
        return await words.count_pending(session)


def _repairable(part: Literal["words", "vectors"], what: str) -> Fault:
    return Fault(part=part, what=what, repairable=True, hint=_ANEW)


def _of_file(problem: str) -> Fault:
    if "FTS5" in problem:
        return _repairable("words", problem)
    derived = any(words in problem for words in _INDEX_WORDS)
    return Fault(part="file", what=problem, repairable=derived, hint=_ANEW if derived else _LOST)


async def _served(session: ReadSession) -> AsyncIterator[Sequence[Row[Any]]]:
    last = 0
    while True:
        rows = await session.all(
            select(traces.c.number, trace_versions.c.content)
            .join(trace_versions, of_served_version)
            .where(traces.c.number > last)
            .order_by(traces.c.number)
            .limit(_AT_ONCE)
        )
        if not rows:
            return
        last = rows[-1].number
        yield rows


async def _wrong_words(session: ReadSession, words: SearchIndex) -> int:
    wrong = 0
    async for rows in _served(session):
        documents = [document(row.number, TraceContent.model_validate(row.content)) for row in rows]
        wrong += len(await words.differing(session, documents))
    return wrong


async def _wrong_vectors(session: ReadSession, engine: str) -> set[int]:
    """The traces that have a vector of another text, or of another length than their model makes."""
    size = func.length(trace_vectors.c.vector) - 4 if engine == "sqlite" else func.vector_dims(trace_vectors.c.vector)
    rows = await session.all(
        select(trace_vectors.c.number)
        .join(embedding_models, embedding_models.c.model_id == trace_vectors.c.model_id)
        .where(trace_vectors.c.vector.is_not(None), size != embedding_models.c.dimension)
    )
    wrong = {row.number for row in rows}
    async for page in _served(session):
        made: dict[int, dict[int, dict[int, str]]] = {}
        for row in await session.all(
            select(*(trace_vectors.c[name] for name in ("number", "model_id", "part", "text_hash"))).where(
                trace_vectors.c.number.in_([row.number for row in page]), trace_vectors.c.vector.is_not(None)
            )
        ):
            made.setdefault(row.number, {}).setdefault(row.model_id, {})[row.part] = row.text_hash
        for row in page:
            wanted = hashes_of(TraceContent.model_validate(row.content)) if row.number in made else {}
            if any(texts != wanted for texts in made.get(row.number, {}).values()):
                wrong.add(row.number)
    return wrong


async def _forget_wrong_vectors(session: WriteSession, engine: str) -> None:
    """They are embedded again in the background, or by `commontrace reindex`."""
    wrong = sorted(await _wrong_vectors(session, engine))
    for row in await session.all(select(embedding_models)):
        revision = await next_revision(session, row.model_id)
        for start in range(0, len(wrong), _AT_ONCE):
            some = trace_vectors.c.number.in_(wrong[start : start + _AT_ONCE])
            mine = trace_vectors.c.model_id == row.model_id
            await session.write(update(trace_vectors).where(some, mine).values(vector=None, revision=revision))
