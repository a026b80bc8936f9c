"""Answers a query: find, rank, cut to size, say why, keep receipts and misses."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, exists, func, insert, or_, select

from commontrace.errors import BackendError, InvalidInputError, NotFoundError
from commontrace.fingerprint import fingerprint, normalise
from commontrace.models.search import Hit, Query, QueryAnswer
from commontrace.models.traces import Label, TraceContent
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession
from commontrace_backend.index.protocol import Question
from commontrace_backend.index.vectors import Model, find_model
from commontrace_backend.search import answer
from commontrace_backend.search.asking import Meant
from commontrace_backend.search.finding import Finder, Found, candidates, exact_numbers, find, newest, together
from commontrace_backend.search.folding import folded, spread
from commontrace_backend.search.ranking import Candidate, Evidence, good_enough, ranked
from commontrace_backend.traces import recalls, store
from commontrace_backend.traces.assembly import contributor_of
from commontrace_backend.traces.tables import misses, outcomes, trace_tags, traces
from commontrace_backend.traces.trust import POSITIVE
from commontrace_backend.traces.trust_store import trust_for
from commontrace_backend.traces.visibility import found_by
from commontrace_backend.traces.walk import Trust

QUERY_LIMIT: Final = 4 * 1024
_POOL: Final = 2  # candidates looked at for each hit asked for, so that priors can reorder and duplicates fold
_FEWEST: Final = 10
_TRACEBACK: Final = "Traceback (most recent call last)"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query after the limits: what it asks, the key of its error, and what has to be said about it.

    `keys` holds that key too, and that of an error among the words.
    """

    query: Query
    question: Question
    error: str | None
    keys: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def asks(self) -> bool:
        """Whether it has words at all."""
        return bool(self.question.text.strip())


def prepare(query: Query) -> Prepared:
    """Cut what is too long and find the error's key; raises InvalidInputError for a query that asks nothing."""
    if not (query.query.strip() or query.error.strip() or query.tags or query.ids):
        raise InvalidInputError("The query is empty.", "Give query, error, tags or ids.")
    notes = []
    words = query.query
    if len(words.encode()) > QUERY_LIMIT:
        words = words.encode()[:QUERY_LIMIT].decode(errors="ignore")
        notes.append("The query was longer than 4 KiB; its first 4 KiB were used.")
    # The end of an error says what went wrong; its beginning is often only where.
    text = "\n".join(part for part in (words, query.error[-QUERY_LIMIT:]) if part.strip())
    error = fingerprint(query.error) if query.error else None
    keys = [key for key in (error, fingerprint(words) if words else None) if key]
    return Prepared(query, Question(text, _headline(words, query.error)), error, keys, notes)


def _headline(words: str, error: str) -> str:
    """What a query is about: its first line, and what an error says once paths and stacks are gone."""
    first = next((line.strip() for line in words.splitlines() if line.strip()), "")
    if first.startswith(_TRACEBACK):
        return normalise(words)
    return "\n".join(part for part in (first, normalise(error) if error else "") if part)


async def query(database: Database, caller: Caller, finder: Finder, wanted: Query) -> QueryAnswer:
    """The best answers; or none, and then what to do. Keeps receipts of what was shown, and the miss."""
    asked = prepare(wanted)
    async with database.reading(caller.tenant_id) as session:
        trust = await trust_for(session, caller.tenant_id)
        within = _Within(_filters(caller, trust, tuple(wanted.tags), include_unproven=wanted.include_unproven))
        if not wanted.ids:
            within = replace(within, exact=await _exactly(session, asked, within.wheres))
        by_words = asked.asks and not (within.exact or wanted.ids or wanted.exact)
        model = await _compared(session, finder) if by_words else None
        found = await _found(session, finder, asked, Meant(None), within) if not (model or wanted.ids) else None
        done = await _answer(session, caller, asked, found, trust) if not model else None
    if done is None:
        assert model is not None
        # The model runs between transactions.
        meant = await _meant(finder, asked, model)
        async with database.reading(caller.tenant_id) as session:
            found = await _found(session, finder, asked, meant, within)
            done = await _answer(session, caller, asked, found, trust)
        done = replace(done, result=_said(done.result, meant.reason))
    missed = wanted.silence and not (done.result.hits or wanted.exact) and asked.asks
    if done.new or done.recalled or missed:
        return await _recorded(database, caller, done, _miss(caller, asked) if missed else None)
    return done.result


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer, the versions it shows that have no receipt yet, and what its reader has to be told beside."""

    result: QueryAnswer
    new: list[tuple[str, str]]
    recalled: Sequence[Row[Any]]


async def _answer(
    session: ReadSession, caller: Caller, asked: Prepared, found: Found | None, trust: Trust
) -> _Answered:
    """What was found, or without it what was asked for by id."""
    if found is None:
        result = await _by_ids(session, caller, asked, trust)
    else:
        result = await _ranked(session, caller, asked, found, trust)
    shown = [(hit.trace_id, hit.version_id) for hit in result.hits]
    recalled = await recalls.untold(session, caller)
    for row in recalled:
        result = _said(result, recalls.note(row))
    return _Answered(result, await store.unreceived(session, caller, shown), recalled)


async def _recorded(database: Database, caller: Caller, done: _Answered, miss: dict[str, object] | None) -> QueryAnswer:
    """Keep receipts, recalls told and the miss; a power failure may forget them, and no reader waits for the disk."""
    try:
        async with database.writing(caller.tenant_id, durable=False) as writer:
            await store.add_receipts(writer, caller, done.new)
            if done.recalled:
                await recalls.told(writer, caller, done.recalled)
            if miss:
                await writer.write(insert(misses).values(miss))
    except BackendError as error:
        return _said(
            done.result,
            f"It could not be recorded that you were shown this, so ask again before you vote: {error.detail}",
        )
    return done.result


def _said(result: QueryAnswer, note: str) -> QueryAnswer:
    return result.model_copy(update={"notes": [*result.notes, note]}) if note else result


async def answered(session: ReadSession, caller: Caller, finder: Finder, miss: str, error: str | None) -> bool:
    """Whether what was asked in vain, with the key of its error, has an answer by its words now. Keeps nothing."""
    again = replace(prepare(Query(query=miss, limit=1)), keys=[error] if error else [])
    trust = await trust_for(session, caller.tenant_id)
    wheres = _filters(caller, trust, (), include_unproven=False)
    exact = await _exactly(session, again, wheres)
    found = await _found(session, finder, again, Meant(None), _Within(wheres, exact))
    return bool((await _ranked(session, caller, again, found, trust)).hits)


def _miss(caller: Caller, asked: Prepared) -> dict[str, object]:
    return {
        "miss_id": secrets.token_hex(16),
        "tenant_id": caller.tenant_id,
        "contributor_id": caller.contributor_id,
        "query": screen_text(asked.question.text.strip()).text,
        "fingerprint": asked.error,
        "created_at": datetime.now(UTC),
    }


async def _compared(session: ReadSession, finder: Finder) -> Model | None:
    """The model whose vectors there are: none is loaded to search what it has embedded nothing of."""
    return await find_model(session, finder.asker.embedder.name) if finder.asker else None


async def _meant(finder: Finder, asked: Prepared, model: Model) -> Meant:
    assert finder.asker is not None
    meant = await finder.asker.ask(asked.question, model.dimension)
    return Meant(meant.vector, meant.reason and f"Answered by words alone: {meant.reason}.")


async def _by_ids(session: ReadSession, caller: Caller, asked: Prepared, trust: Trust) -> QueryAnswer:
    rows, notes = [], list(asked.notes)
    for ref in asked.query.ids:
        try:
            rows.append(await store.find(session, caller, ref))
        except NotFoundError as error:
            notes.append(str(error))
    found = Found({row.number: Evidence(1.0) for row in rows})
    wanted = await candidates(session, found, asked.query.environment, trust)
    placed = {item.number: item for item in wanted}
    hits = [_hit(row, placed[row.number], "asked for by id", asked.query) for row in rows]
    return answer.fit_to_size(hits, asked.query.model_copy(update={"detail": "full"}), "ids", 0, notes)


async def _exactly(session: ReadSession, asked: Prepared, wheres: Sequence[ColumnElement[bool]]) -> frozenset[int]:
    return frozenset([number for where in wheres for number in await exact_numbers(session, where, asked.keys)])


@dataclass(frozen=True, slots=True)
class _Within:
    """Where to look: what each of these lets through apart from the other, and what is exact already."""

    wheres: Sequence[ColumnElement[bool]]
    exact: frozenset[int] = frozenset()


async def _found(session: ReadSession, finder: Finder, asked: Prepared, meant: Meant, within: _Within) -> Found:
    limit = max(asked.query.limit * _POOL, _FEWEST)
    founds = [
        await find(session, finder, asked.question, meant.vector, where)
        if asked.asks
        else await newest(session, where, asked.query.limit)
        for where in ([] if asked.query.exact else within.wheres)
    ]
    return together(founds, within.exact, limit)


async def _ranked(session: ReadSession, caller: Caller, asked: Prepared, found: Found, trust: Trust) -> QueryAnswer:
    wanted = asked.query
    pool = await candidates(session, found, wanted.environment, trust)
    good = [
        item
        for item in ranked(pool)
        if (good_enough(item) or not wanted.silence) and (wanted.include_unproven or not item.unproven_public)
    ]
    kept = folded(spread(good), found.stems) if wanted.fold else [(item, []) for item in good]
    shown = kept[: wanted.limit]
    rows = await store.with_numbers(
        session, caller, [number for item, behind in shown for number in (item.number, *behind)]
    )
    hits = [
        _hit(rows[item.number], item, _why(item), wanted, [rows[number].trace_id[:10] for number in behind])
        for item, behind in shown
    ]
    return answer.fit_to_size(hits, wanted, _mode(asked, found), len(kept) - len(shown), asked.notes)


def _mode(asked: Prepared, found: Found) -> answer.Mode:
    if found.exact:
        return "fingerprint"
    if not asked.asks:
        return "tags"
    return "hybrid" if found.hybrid else "lexical"


@lru_cache(maxsize=256)
def _filters(
    caller: Caller, trust: Trust, tags: tuple[str, ...], *, include_unproven: bool
) -> list[ColumnElement[bool]]:
    """Everything that decides whether a trace may be shown, applied before anything is ranked.

    The first lets through what may be proven; the second, on request, the other public traces.
    """
    conditions = [found_by(caller)]
    conditions += [exists().where(trace_tags.c.trace_id == traces.c.trace_id, trace_tags.c.tag == tag) for tag in tags]
    conditions.append(or_(traces.c.tier != "quarantined", traces.c.contributor_id == caller.contributor_id))
    known = or_(traces.c.visibility != "public", traces.c.tenant_id == caller.tenant_id, _promising(trust))
    both = [and_(*conditions, known), and_(*conditions, ~known)]
    return both if include_unproven else both[:1]


_MOST_KNOWN: Final = 1_000  # organizations that are asked for in one statement: the best known


def _promising(trust: Trust) -> ColumnElement[bool]:
    """Whether two organizations that the viewer knows, or one of its own people, report well: a tier takes no less."""
    known = sorted(trust.voices, key=lambda name: (-trust.voices[name], name))[:_MOST_KNOWN]
    good = and_(
        outcomes.c.trace_id == traces.c.trace_id,
        outcomes.c.outcome.in_(sorted(POSITIVE)),
        outcomes.c.self_report.is_(False),
        outcomes.c.discounted.is_(None),
    )
    voices = (
        select(func.count(outcomes.c.tenant_id.distinct()))
        .where(good, outcomes.c.tenant_id.in_(known))
        .correlate(traces)
        .scalar_subquery()
    )
    ours = exists().where(good, outcomes.c.tenant_id == trust.viewer).correlate(traces)
    return and_(traces.c.supporters > 0, or_(and_(traces.c.supporters > 1, voices > 1), ours))


def _why(candidate: Candidate) -> str:
    if candidate.exact:
        return "exactly this error"
    evidence = candidate.evidence
    shared = f"shares {', '.join(evidence.terms[:6])}" if evidence.terms else ""
    if evidence.similarity is not None:
        return "; ".join(part for part in (f"means alike ({evidence.similarity:.2f})", shared) if part)
    return shared or "newest with these tags"


_COMMANDS: Final = 5  # that are named one by one


def _warnings(row: Row[Any], candidate: Candidate) -> list[Label]:
    """What nobody that the viewer knows has tried: each command of it is flagged."""
    if not candidate.unproven_public:
        return []
    return [
        Label(label="unproven command", reason=f"nobody you know has run it: {command}", score=1.0)
        for command in row.risks.get("commands", [])[:_COMMANDS]
    ]


def _hit(row: Row[Any], candidate: Candidate, why: str, wanted: Query, also: Sequence[str] = ()) -> Hit:
    evidence = candidate.evidence
    return Hit(
        trace_id=row.trace_id,
        short_id=row.trace_id[:10],
        version_id=row.version_id,
        version_number=row.version_number,
        title=row.title,
        tags=row.content["tags"],
        standing=candidate.standing,
        visibility=row.visibility,
        contributor=contributor_of(row),
        updated_at=row.updated_at,
        score=round(candidate.score, 4),
        why=why,
        fit=candidate.fit.reason,
        also=list(also),
        labels=[*row.labels, *_warnings(row, candidate)],
        risks=row.risks,
        body=TraceContent.model_validate(row.content) if wanted.detail == "full" or wanted.ids else None,
        similarity=evidence.similarity if wanted.explain else None,
        matched=list(evidence.terms) if wanted.explain else [],
        factors=candidate.factors() if wanted.explain else [],
    )
