"""Answers a query: find, rank, cut to size, say why, keep receipts and misses."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, exists, insert, or_, select

from commontrace.errors import BackendError, InvalidInputError, NotFoundError
from commontrace.fingerprint import fingerprint
from commontrace.models.search import Hit, Query, QueryAnswer
from commontrace.models.traces import TraceContent
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession
from commontrace_backend.index.protocol import Match, SearchIndex
from commontrace_backend.search import answer
from commontrace_backend.search.fit import CallerEnvironment
from commontrace_backend.search.ranking import Candidate, good_enough, ranked
from commontrace_backend.traces import store
from commontrace_backend.traces.assembly import contributor_of, served
from commontrace_backend.traces.outcomes import standings
from commontrace_backend.traces.tables import misses, trace_errors, trace_tags, traces
from commontrace_backend.traces.visibility import visible_to

QUERY_LIMIT: Final = 4 * 1024
_POOL: Final = 3  # candidates looked at for each hit asked for, so that priors can reorder


@dataclass(frozen=True, slots=True)
class Asked:
    """A query after the limits: its words, the key of its error, and what has to be said about it."""

    query: Query
    words: str
    error: str | None
    notes: list[str] = field(default_factory=list)


def prepare(query: Query) -> Asked:
    """Cut what is too long and find the error's key; raises InvalidInputError for a query that asks nothing."""
    if not (query.query.strip() or query.error.strip() or query.tags or query.ids):
        raise InvalidInputError("The query is empty.", "Give query, error, tags or ids.")
    notes = []
    words = query.query
    if len(words.encode()) > QUERY_LIMIT:
        words = words.encode()[:QUERY_LIMIT].decode(errors="ignore")
        notes.append("The query was longer than 4 KiB; its first 4 KiB were used.")
    # The end of an error says what went wrong; its beginning is often only where.
    text = f"{words}\n{query.error[-QUERY_LIMIT:]}"
    return Asked(query, text, fingerprint(query.error) if query.error else None, notes)


async def query(database: Database, caller: Caller, index: SearchIndex, wanted: Query) -> QueryAnswer:
    """The best answers; or none, and then what to do. Keeps receipts of what was shown, and the miss."""
    asked = prepare(wanted)
    async with database.reading() as session:
        result = await (_by_ids if wanted.ids else _by_words)(session, caller, index, asked)
        shown = [(hit.trace_id, hit.version_id) for hit in result.hits]
        new = await store.unreceived(session, caller, shown)
    missed = wanted.silence and not result.hits and bool(asked.words.strip())
    if not (new or missed):
        return result
    try:
        # Bookkeeping: a power failure may forget it, and no reader waits for the disk.
        async with database.writing(durable=False) as writer:
            await store.add_receipts(writer, caller, new)
            if missed:
                await writer.write(insert(misses).values(_miss(caller, asked)))
    except BackendError as error:
        note = f"It could not be recorded that you were shown this, so ask again before you vote: {error.detail}"
        return result.model_copy(update={"notes": [*result.notes, note]})
    return result


async def answered(session: ReadSession, caller: Caller, index: SearchIndex, miss: str, error: str | None) -> bool:
    """Whether what was asked in vain, with the key of its error, would show something now. Keeps nothing."""
    again = Asked(Query(query=miss, limit=1), miss, error)
    return bool((await _by_words(session, caller, index, again)).hits)


def _miss(caller: Caller, asked: Asked) -> dict[str, object]:
    return {
        "miss_id": secrets.token_hex(16),
        "tenant_id": caller.tenant_id,
        "contributor_id": caller.contributor_id,
        "query": screen_text(asked.words.strip()).text,
        "fingerprint": asked.error,
        "created_at": datetime.now(UTC),
    }


async def _by_ids(session: ReadSession, caller: Caller, index: SearchIndex, asked: Asked) -> QueryAnswer:
    del index
    rows, notes = [], list(asked.notes)
    for ref in asked.query.ids:
        try:
            rows.append(await store.find(session, caller, ref))
        except NotFoundError as error:
            notes.append(str(error))
    candidates = await _candidates(session, rows, {}, asked, exact=frozenset())
    by_number = {row.number: row for row in rows}
    hits = [_hit(by_number[item.number], item, "asked for by id", asked.query) for item in candidates]
    return answer.fit_to_size(hits, asked.query.model_copy(update={"detail": "full"}), "ids", notes)


async def _by_words(session: ReadSession, caller: Caller, index: SearchIndex, asked: Asked) -> QueryAnswer:
    where = _filter(caller, asked.query)
    exact = await _exact(session, where, asked.error)
    if asked.words.strip():
        found = await index.search(session, asked.words, where=where, limit=asked.query.limit * _POOL)
    else:
        found = await _newest(session, where, asked.query.limit)
    matches = {match.number: match for match in found}
    rows = await store.with_numbers(session, caller, [*exact, *matches])
    candidates = ranked(await _candidates(session, list(rows.values()), matches, asked, exact=frozenset(exact)))
    good = [item for item in candidates if good_enough(item) or not asked.query.silence]
    hits = [_hit(rows[item.number], item, _why(item, matches.get(item.number)), asked.query) for item in good]
    mode: answer.Mode = "fingerprint" if exact else "lexical" if asked.words.strip() else "tags"
    return answer.fit_to_size(hits, asked.query, mode, asked.notes)


def _filter(caller: Caller, wanted: Query) -> ColumnElement[bool]:
    """Everything that decides whether a trace may be shown, applied before anything is ranked."""
    conditions = [visible_to(caller), traces.c.state == "active"]
    conditions += [
        exists().where(trace_tags.c.trace_id == traces.c.trace_id, trace_tags.c.tag == tag) for tag in wanted.tags
    ]
    proven = traces.c.tier.in_(("corroborated", "verified"))
    if not wanted.include_unproven:
        own = traces.c.contributor_id == caller.contributor_id
        conditions.append(or_(traces.c.visibility != "public", proven, own))
    conditions.append(or_(traces.c.tier != "quarantined", traces.c.contributor_id == caller.contributor_id))
    return and_(*conditions)


async def _exact(session: ReadSession, where: ColumnElement[bool], key: str | None) -> list[int]:
    if key is None:
        return []
    statement = (
        select(traces.c.number)
        .join(trace_errors, trace_errors.c.trace_id == traces.c.trace_id)
        .where(trace_errors.c.fingerprint == key, where)
        .order_by(traces.c.number)
        .limit(50)
    )
    return [row.number for row in await session.all(statement)]


async def _newest(session: ReadSession, where: ColumnElement[bool], limit: int) -> list[Match]:
    rows = await session.all(select(traces.c.number).where(where).order_by(traces.c.updated_at.desc()).limit(limit))
    return [Match(row.number, 1.0, 1.0, 0, ()) for row in rows]


async def _candidates(
    session: ReadSession,
    rows: Sequence[Row[Any]],
    matches: dict[int, Match],
    asked: Asked,
    *,
    exact: frozenset[int],
) -> list[Candidate]:
    known = await standings(session, [served(row) for row in rows])
    best = max((match.score for match in matches.values()), default=0.0) or 1.0
    nothing = Match(0, 0.0, 0.0, 0, ())
    here = CallerEnvironment(asked.query.environment)
    return [
        Candidate(
            number=row.number,
            exact=row.number in exact,
            relevance=1.0 if row.number in exact else matches.get(row.number, nothing).score / best,
            coverage=matches.get(row.number, nothing).coverage,
            asked=matches.get(row.number, nothing).asked,
            standing=known[row.trace_id, row.version_id],
            visibility=row.visibility,
            fit=here.fit(TraceContent.model_validate(row.content).environment),
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def _why(candidate: Candidate, match: Match | None) -> str:
    if candidate.exact:
        return "exactly this error"
    if match is None or not match.terms:
        return "newest with these tags"
    return f"shares {', '.join(match.terms[:6])}"


def _hit(row: Row[Any], candidate: Candidate, why: str, wanted: Query) -> Hit:
    content = TraceContent.model_validate(row.content)
    return Hit(
        trace_id=row.trace_id,
        short_id=row.trace_id[:10],
        version_id=row.version_id,
        version_number=row.version_number,
        title=row.title,
        tags=content.tags,
        standing=candidate.standing,
        visibility=row.visibility,
        contributor=contributor_of(row),
        updated_at=row.updated_at,
        score=round(candidate.score, 4),
        why=why,
        fit=candidate.fit.reason,
        labels=row.labels,
        risks=row.risks,
        body=content if wanted.detail == "full" or wanted.ids else None,
        factors=candidate.factors() if wanted.explain else [],
    )
