"""Finds candidates by error, words and meaning, with everything their place depends on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Row, Select, select

from commontrace.models.traces import Environment
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.index.protocol import Match, Question, SearchIndex
from commontrace_backend.index.vectors import VectorIndex
from commontrace_backend.search.asking import Asker
from commontrace_backend.search.fit import CallerEnvironment, Fit
from commontrace_backend.search.fusion import fuse
from commontrace_backend.search.ranking import Candidate, Evidence, months_since
from commontrace_backend.traces.assembly import served
from commontrace_backend.traces.outcomes import standings
from commontrace_backend.traces.tables import of_served_version, trace_errors, trace_versions, traces
from commontrace_backend.traces.walk import Trust

if TYPE_CHECKING:
    from commontrace_backend.index.vectors import Vector

POOL: Final = 50
"""Traces that each of words and vectors may propose."""

_RATED: Final = 20  # of those that vectors propose, how many are looked at for words too


@dataclass(frozen=True, slots=True)
class Finder:
    """What a store is searched with: words always, vectors where an embedder is configured."""

    words: SearchIndex
    vectors: VectorIndex | None = None
    asker: Asker | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Row numbers with what speaks for each, the stems of those that were read, and whether vectors were compared.

    `exact` are those that speak of exactly the error that was asked for.
    """

    evidence: Mapping[int, Evidence]
    stems: Mapping[int, frozenset[str]] = field(default_factory=dict)
    hybrid: bool = False
    exact: frozenset[int] = frozenset()

    def best(self, limit: int) -> list[int]:
        """The most relevant."""
        return sorted(self.evidence, key=lambda number: (-self.evidence[number].relevance, number))[:limit]


def together(founds: Sequence[Found], exact: frozenset[int], limit: int) -> Found:
    """The best `limit` of each, and what is exact: however much there is of one, it crowds nothing of another out."""
    evidence = {number: found.evidence[number] for found in founds for number in found.best(limit)}
    stems = {number: stems for found in founds for number, stems in found.stems.items()}
    return Found(evidence, stems, any(found.hybrid for found in founds), exact)


async def exact_numbers(session: ReadSession, where: ColumnElement[bool], keys: Collection[str]) -> list[int]:
    """The traces that speak of exactly this error."""
    if not keys:
        return []
    rows = await session.all(_exact(where), {"keys": list(keys)})
    return list(dict.fromkeys(row.number for row in rows))


# Built once a filter: to build such a statement costs more than to run it.
@lru_cache(maxsize=256)
def _exact(where: ColumnElement[bool]) -> Select[Any]:
    return (
        select(traces.c.number)
        .join(trace_errors, trace_errors.c.trace_id == traces.c.trace_id)
        .where(OneOf(trace_errors.c.fingerprint, "keys"), where)
        .order_by(traces.c.number)
        .limit(POOL)
    )


async def newest(session: ReadSession, where: ColumnElement[bool], limit: int) -> Found:
    """The traces that changed last."""
    rows = await session.all(select(traces.c.number).where(where).order_by(traces.c.updated_at.desc()).limit(limit))
    return Found({row.number: Evidence(relevance=1.0, coverage=1.0) for row in rows})


async def find(
    session: ReadSession,
    finder: Finder,
    question: Question,
    vector: "Vector | None",
    where: ColumnElement[bool],
) -> Found:
    """By words, and by meaning where the question has a vector."""
    if vector is None or finder.vectors is None:
        matches = await finder.words.search(session, question, where=where, limit=POOL)
        return Found({match.number: _by_words(match) for match in matches}, _stems(matches))
    near = await finder.vectors.nearest(session, vector, where=where, limit=POOL)
    if not near:
        return await find(session, finder, question, None, where)
    numbers = [item.number for item in near]
    matches = await finder.words.search(session, question, where=where, limit=POOL, also=numbers[:_RATED])
    found = {match.number: match for match in matches}
    cosines = {item.number: item.cosine for item in near}
    cosines |= await finder.vectors.cosines(session, vector, found.keys() - cosines.keys())
    relevance = fuse(matches, cosines)
    asked = max((match.asked for match in matches), default=0)
    evidence = {
        number: replace(_by_both(value, found.get(number), cosines.get(number)), asked=asked)
        for number, value in relevance.items()
    }
    return Found(evidence, _stems(matches), hybrid=True)


def _by_words(match: Match) -> Evidence:
    return Evidence(match.share, match.coverage, match.asked, match.terms)


def _by_both(relevance: float, match: Match | None, cosine: float | None) -> Evidence:
    if match is None:
        return Evidence(relevance, similarity=cosine)
    return Evidence(relevance, match.coverage, match.asked, match.terms, cosine)


def _stems(matches: Sequence[Match]) -> dict[int, frozenset[str]]:
    return {match.number: match.stems for match in matches}


async def candidates(session: ReadSession, found: Found, environment: Environment, trust: Trust) -> list[Candidate]:
    """What was found, with standing, fit and age; in no order."""
    numbers = sorted({*found.exact, *found.evidence})
    rows = await session.all(_outlines(with_environment=environment != Environment()), {"numbers": numbers})
    known = await standings(session, [served(row) for row in rows], trust.viewer)
    caller, now = CallerEnvironment(environment), datetime.now(UTC)
    return [
        Candidate(
            number=row.number,
            exact=row.number in found.exact,
            evidence=found.evidence.get(row.number, Evidence(0.0)),
            standing=known[row.trace_id, row.version_id],
            # What one's own organization made public stays the team's own.
            visibility="team" if ours else row.visibility,
            lineage_id=row.lineage_id,
            fit=_fit(caller, row),
            updated_at=row.updated_at,
            months=months_since(row.updated_at, now),
            author=trust.voice(row.tenant_id) if row.visibility == "public" else 1.0,
        )
        for row in rows
        for ours in (row.visibility == "public" and row.tenant_id == trust.viewer,)
    ]


@cache
def _outlines(*, with_environment: bool) -> Select[Any]:
    """What ranking needs of these traces: their bodies stay where they are."""
    statement = (
        select(
            *(
                traces.c[name]
                for name in (
                    "number",
                    "trace_id",
                    "version_id",
                    "version_number",
                    "visibility",
                    "updated_at",
                    "tenant_id",
                )
            ),
            trace_versions.c.inherits_from,
            contributors.c.lineage_id,
        )
        .join(
            trace_versions,
            of_served_version,
        )
        .join(contributors, contributors.c.contributor_id == traces.c.contributor_id)
        .where(OneOf(traces.c.number, "numbers"))
    )
    if with_environment:
        statement = statement.add_columns(trace_versions.c.content["environment"].label("environment"))
    return across(statement, "the numbers come from a search whose filter holds visible_to")


def _fit(caller: CallerEnvironment, row: Row[Any]) -> Fit:
    environment = getattr(row, "environment", None)
    return caller.fit(Environment.model_validate(environment)) if environment else Fit(0.0, "")
