"""Full-text search in SQLite: FTS5 finds candidates, BM25 over their counted stems ranks them; one file, one commit.

The stems are made by SQLite's own Porter tokenizer before they are stored, so that a document can be weighed again
without being read: `trace_words` holds them with their weighted counts.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    Select,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    select,
    table,
    text,
    update,
)

from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.bm25 import WEIGHTS, Term, Totals, scored
from commontrace_backend.index.protocol import WORDS_VERSION, Document, Match, Question
from commontrace_backend.index.question import deciding
from commontrace_backend.index.terms import Stemmer, words_of
from commontrace_backend.index.wording import terms_of

POOL: Final = 50
"""Candidates that FTS5 finds and BM25 weighs again, at least."""

_WIDER: Final = 4  # looked at for each candidate wanted, before the whole result is filtered
_MOST_COUNTED: Final = 255

_fts = table("trace_search", column("rowid"), *(column(name) for name in WEIGHTS))
_vocabulary = table("trace_terms", column("term"), column("doc"))
_words = table("trace_words", *(column(name) for name in ("number", "version", "length", "stems", "counts")))
_totals = table("search_totals", column("documents"), column("words"))
_RANK: Final = f"bm25(trace_search, {', '.join(map(str, WEIGHTS.values()))})"
_BEST: Final = text(
    f"SELECT rowid FROM trace_search WHERE trace_search MATCH :match ORDER BY {_RANK}, rowid LIMIT :wide"  # noqa: S608  # nosec B608 - our own weights
)
_TOTALS: Final = select(_totals)
_FREQUENCIES: Final = select(_vocabulary).where(_vocabulary.c.term.in_(bindparam("stems", expanding=True)))
_READ: Final = select(_words).where(_words.c.number.in_(bindparam("numbers", expanding=True)))


class SqliteIndex:
    """The words of every served version, keyed by the trace's row number."""

    def __init__(self, key: Column[int]) -> None:
        self._key = key
        self._stemmer = Stemmer()

    async def put(self, session: WriteSession, document: Document) -> None:
        """Replace the document's stems and counts, and keep the totals in step."""
        stems = self._stems_of(document)
        length = sum(len(found) for found in stems.values())
        before = await session.first(select(_words.c.length).where(_words.c.number == document.number))
        if before is not None:
            await session.write(delete(_fts).where(_fts.c.rowid == document.number))
            await session.write(delete(_words).where(_words.c.number == document.number))
        await session.write(
            insert(_fts).values(rowid=document.number, **{name: " ".join(found) for name, found in stems.items()})
        )
        counts = _weighted(stems)
        await session.write(
            insert(_words).values(
                number=document.number,
                version=WORDS_VERSION,
                length=length,
                stems=" ".join(counts),
                counts=bytes(counts.values()),
            )
        )
        await session.write(
            update(_totals).values(
                documents=_totals.c.documents + (before is None),
                words=_totals.c.words + length - (before.length if before else 0),
            )
        )

    def _stems_of(self, document: Document) -> dict[str, list[str]]:
        words = {name: words_of(getattr(document, name)) for name in WEIGHTS}
        known = self._stemmer.stems(word for found in words.values() for word in found)
        return {name: [known[word] for word in found if word in known] for name, found in words.items()}

    async def search(
        self,
        session: ReadSession,
        question: Question,
        *,
        where: ColumnElement[bool],
        limit: int,
        also: Collection[int] = (),
    ) -> list[Match]:
        """Candidates by FTS5's bm25() over the query's rarer words, then by BM25 with the query's own weights."""
        totals = await self._totals(session)
        terms = await terms_of(session, self, self._stemmer, question, totals)
        numbers = await self._candidates(session, _expression(deciding(terms, totals)), where, max(POOL, limit))
        rated = {*numbers, *also}
        rows = await session.all(_READ, {"numbers": sorted(rated)}) if rated else []
        ranked = sorted((_match(row, terms, totals) for row in rows), key=lambda match: (-match.score, match.number))
        proposed = set(numbers)
        found = [match for match in ranked if match.score > 0 and match.number in proposed][:limit]
        rest = set(also) - {match.number for match in found}
        return [*found, *(match for match in ranked if match.number in rest)]

    async def pending(self, session: ReadSession, limit: int) -> Sequence[int]:
        """Traces without words of this version, oldest first."""
        there = exists().where(_words.c.number == self._key, _words.c.version == WORDS_VERSION)
        rows = await session.all(select(self._key).where(~there).order_by(self._key).limit(limit))
        return [row[0] for row in rows]

    async def _totals(self, session: ReadSession) -> Totals:
        row = await session.first(_TOTALS)
        return Totals(row.documents, row.words) if row else Totals(0, 0)

    async def frequencies(self, session: ReadSession, stems: Collection[str]) -> dict[str, int]:
        """As FTS5 counts them."""
        return {row.term: row.doc for row in await session.all(_FREQUENCIES, {"stems": sorted(stems)})}

    async def resembling(self, session: ReadSession, stem: str) -> dict[str, int]:
        """A range of FTS5's vocabulary: a slip in the first two letters is not found."""
        first = stem[:2]
        rows = await session.all(
            select(_vocabulary).where(
                _vocabulary.c.term >= first,
                _vocabulary.c.term < first[:-1] + chr(ord(first[-1]) + 1),
                func.length(_vocabulary.c.term).between(len(stem) - 2, len(stem) + 2),
            )
        )
        return {row.term: row.doc for row in rows}

    async def _candidates(self, session: ReadSession, match: str, where: ColumnElement[bool], pool: int) -> list[int]:
        """The row numbers of the best documents that satisfy `where`: few are looked up to be filtered."""
        if not match:
            return []
        wide = pool * _WIDER
        best = [row[0] for row in await session.all(_BEST, {"match": match, "wide": wide})]
        visible = {row[0] for row in await session.all(_visible(self._key, where), {"numbers": best})}
        if len(visible) >= pool or len(best) < wide:
            return [number for number in best if number in visible][:pool]
        return [row[0] for row in await session.all(self._filtered(where, pool), {"match": match})]

    def _filtered(self, where: ColumnElement[bool], limit: int) -> Select[Any]:
        return (
            select(self._key)
            .select_from(_fts)
            .join(self._key.table, self._key == _fts.c.rowid)
            .where(text("trace_search MATCH :match"), where)
            .order_by(text(_RANK), self._key)
            .limit(limit)
        )


@lru_cache(maxsize=128)
def _visible(key: Column[int], where: ColumnElement[bool]) -> Select[Any]:
    """Which of some documents satisfy a filter; built once a filter, for building it costs more than running it."""
    return select(key).where(key.in_(bindparam("numbers", expanding=True)), where)


def _expression(terms: Sequence[Term]) -> str:
    """An OR of stems."""
    # Every stem is quoted and holds letters and digits only, so nothing a caller writes is query syntax.
    return " OR ".join(f'"{term.stem}"' for term in terms)


def _weighted(stems: dict[str, list[str]]) -> dict[str, int]:
    """Each stem with its count over all fields, weighted as BM25F has it; 255 at most."""
    counts: Counter[str] = Counter()
    for name, found in stems.items():
        for stem in found:
            counts[stem] += int(WEIGHTS[name])
    return {stem: min(count, _MOST_COUNTED) for stem, count in counts.items()}


def _match(row: Row[Any], terms: Sequence[Term], totals: Totals) -> Match:
    counts = dict(zip(row.stems.split(), row.counts, strict=True))
    return scored(row.number, terms, counts, row.length, totals)
