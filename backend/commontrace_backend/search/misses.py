"""What an organization asked in vain, and what of it nobody has answered since."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from time import process_time
from typing import Any, Final

from sqlalchemy import Row, Select, delete, exists, func, select

from commontrace.models.search import Wanted
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.index.terms import Stemmer, query_words
from commontrace_backend.search import service
from commontrace_backend.search.finding import Finder
from commontrace_backend.search.wanted import Group, Miss, grouped
from commontrace_backend.traces.tables import misses, trace_errors, traces
from commontrace_backend.traces.visibility import found_by

NEWEST: Final = 2_000
"""How many of an organization's misses are looked at, the newest."""

OLDEST: Final = timedelta(days=180)
"""How long a miss counts: what nobody asked since is wanted no more."""

ASKED_AGAIN: Final = 300
"""How many groups are looked up again at most to fill one list."""

_FORGOTTEN: Final = 1_000  # misses deleted in one transaction

_SECONDS: Final = 0.5
"""CPU for looking them up: whoever asks many strange questions only makes their own list shorter."""

_COMPARED: Final = 2_000  # characters of a question that its words are taken from
_WORDS: Final = 64  # words of it that are compared
_SHOWN: Final = 1_000  # characters of an example


async def most_wanted(session: ReadSession, caller: Caller, finder: Finder, limit: int) -> list[Wanted]:
    """The questions that most people of the caller's organization asked in vain, and that still have no answer.

    A question has one when an active trace that the caller may see bears its error, or when asking it again, by its
    words and the same silence, would show something. Nothing is kept of that.
    """
    rows = await session.all(_open(caller))
    found: list[Wanted] = []
    groups = (await asyncio.to_thread(_grouped, rows))[:ASKED_AGAIN]
    ends = process_time() + _SECONDS
    for group in takewhile(lambda _: process_time() < ends, groups):
        newest = group.newest
        mine = select(misses.c.query).where(misses.c.tenant_id == caller.tenant_id)
        asked = await session.scalar(mine.where(misses.c.miss_id == newest.miss_id))
        if await service.answered(session, caller, finder, asked, newest.fingerprint):
            continue
        found.append(_described(group, asked))
        if len(found) == limit:
            break
    return found


async def forget_old(database: Database) -> int:
    """Delete the misses that count no more, a page a call; returns how many went."""
    old = select(misses.c.miss_id).where(misses.c.created_at < datetime.now(UTC) - OLDEST).limit(_FORGOTTEN)
    async with database.reading(EVERY_TENANT) as session:
        gone = [row.miss_id for row in await session.all(old)]
    if not gone:
        return 0
    async with database.writing(EVERY_TENANT) as writer:
        return await writer.write(delete(misses).where(misses.c.miss_id.in_(gone)))


def _open(caller: Caller) -> Select[Any]:
    """The misses that count, but those whose error an active trace bears by now."""
    known = (
        exists()
        .where(trace_errors.c.fingerprint == misses.c.fingerprint, trace_errors.c.trace_id == traces.c.trace_id)
        .where(found_by(caller))
    )
    return (
        select(
            misses.c.miss_id,
            misses.c.contributor_id,
            misses.c.created_at,
            misses.c.fingerprint,
            func.substr(misses.c.query, 1, _COMPARED).label("query"),
        )
        .where(misses.c.tenant_id == caller.tenant_id, misses.c.created_at > datetime.now(UTC) - OLDEST, ~known)
        .order_by(misses.c.created_at.desc(), misses.c.miss_id)
        .limit(NEWEST)
    )


@cache
def _stemmer() -> Stemmer:
    return Stemmer()


def _grouped(rows: Sequence[Row[Any]]) -> list[Group]:
    words = [list(query_words(row.query))[:_WORDS] if row.fingerprint is None else [] for row in rows]
    stems = _stemmer().stems(word for some in words for word in some)
    return grouped(
        Miss(
            miss_id=row.miss_id,
            contributor_id=row.contributor_id,
            created_at=row.created_at,
            fingerprint=row.fingerprint,
            stems=frozenset(stems[word] for word in some if word in stems),
        )
        for row, some in zip(rows, words, strict=True)
    )


def _described(group: Group, asked: str) -> Wanted:
    half = _SHOWN // 2
    return Wanted(
        # The end of an error says what went wrong.
        example=asked if len(asked) <= _SHOWN else f"{asked[:half]} … {asked[-half:]}",
        fingerprint=group.newest.fingerprint,
        people=group.people,
        times=len(group.misses),
        last_asked=group.newest.created_at,
    )
