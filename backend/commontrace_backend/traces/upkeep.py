"""Keeps what is derived from traces in step with them: words, fingerprints and vectors. Every step can be repeated."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, or_, select

from commontrace.fingerprint import VERSION
from commontrace.models.search import IndexState
from commontrace.models.traces import TraceContent
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.embedding.protocol import Embedder, EmbedderUnavailableError
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.index.vectors import VectorIndex, count_unembedded, find_model
from commontrace_backend.traces import writing
from commontrace_backend.traces.embedding import embed_some
from commontrace_backend.traces.refingerprint import refingerprint
from commontrace_backend.traces.reputation import recount_if_due
from commontrace_backend.traces.rescan import rescan_some
from commontrace_backend.traces.tables import of_served_version, trace_errors, trace_versions, traces
from commontrace_backend.traces.twins import compare_some

_WORDS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a store derives from its traces, and with what."""

    database: Database
    words: SearchIndex
    vectors: VectorIndex | None = None
    embedder: Embedder | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # the background and `reindex` do not do things twice

    async def some(self, limit: int) -> bool:
        """Take the words of up to a hundred traces anew, screen or embed up to `limit`; False where nothing is left.

        Raises:
            EmbedderUnavailableError: the model or its endpoint does not answer; words are done already.
        """
        return await self.refingerprint() or await self.reword() or await self.rescan(limit) or await self.embed(limit)

    async def embed(self, limit: int) -> bool:
        """Embed up to `limit` traces that have no vector of this model; False where none was left.

        Raises:
            EmbedderUnavailableError: the model or its endpoint does not answer.
        """
        if self.vectors is None or self.embedder is None:
            return False
        async with self._turn:
            return await embed_some(self.database, self.vectors, self.embedder, limit) > 0

    async def reword(self) -> bool:
        """Take the words of up to a hundred traces anew whose words are of an older version; False where none was."""
        async with self._turn:
            return await self._words() > 0

    async def _words(self) -> int:
        async with self.database.reading(EVERY_TENANT) as session:
            if not await self.words.pending(session, 1):
                return 0
        async with self.database.writing(EVERY_TENANT) as writer:
            return await take_words(writer, self.words)

    async def refingerprint(self) -> bool:
        """Give every trace the fingerprints of this version, a page a transaction; False where all have them.

        It is done in one go: errors with fingerprints of an older version are found by nobody meanwhile.
        """
        async with self._turn:
            return await self._fingerprints()

    async def _fingerprints(self) -> bool:
        made_by = trace_errors.c.fingerprint_version
        # Not `!=`, for which no database uses an index.
        stale = select(trace_errors.c.trace_id).where(or_(made_by < VERSION, made_by > VERSION)).limit(1)
        async with self.database.reading(EVERY_TENANT) as session:
            if await session.first(stale) is None:
                return False
        last: int | None = 0
        while last is not None:
            async with self.database.writing(EVERY_TENANT) as writer:
                last = (await refingerprint(writer, after=last)).last
        return True

    async def compare(self, limit: int) -> bool:
        """Compare up to `limit` traces with older ones that may say the same; False where none was left."""
        return await compare_some(self.database, self.words, limit) > 0

    async def recount_reputation(self) -> bool:
        """Count every reputation anew; False where nothing has happened since, or it was done just now."""
        async with self._turn:
            return await recount_if_due(self.database)

    async def state(self, reason: str = "") -> IndexState:
        """How much is done, of every organization's."""
        async with self.database.reading(EVERY_TENANT) as session:
            return await self._state(session, reason)

    async def _state(self, session: ReadSession, reason: str) -> IndexState:
        total = await session.scalar(select(func.count()).select_from(traces))
        missing = await self.words.count_pending(session)
        if self.embedder is None:
            return IndexState(traces=total, words=total - missing, reason=reason)
        model = await find_model(session, self.embedder.name)
        waiting = await count_unembedded(session, traces.c.number, model)
        return IndexState(
            traces=total, words=total - missing, model=self.embedder.name, embedded=total - waiting, reason=reason
        )

    async def rescan(self, limit: int) -> bool:
        """Screen up to `limit` versions that older rules have screened; False where none was left."""
        async with self._turn:
            return await rescan_some(self.database, limit) > 0

    async def refresh(self, limit: int) -> IndexState:
        """Do some, and say how much is done; where the embedder fails, why."""
        reason = ""
        try:
            await self.some(limit)
        except EmbedderUnavailableError as error:
            reason = str(error)
        return await self.state(reason)


async def take_words(session: WriteSession, words: SearchIndex) -> int:
    """Take the words of up to a hundred traces that have none of today; returns of how many."""
    numbers = await words.pending(session, _WORDS_AT_ONCE)
    for row in await session.all(_served(numbers)):
        await words.put(session, writing.document(row.number, TraceContent.model_validate(row.content)))
    return len(numbers)


def _served(numbers: Sequence[int]) -> Select[Any]:
    return (
        select(traces.c.number, trace_versions.c.content)
        .join(
            trace_versions,
            of_served_version,
        )
        .where(traces.c.number.in_(numbers))
    )
