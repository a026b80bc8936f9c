"""Full-text search in PostgreSQL: candidates by ts_rank from a GIN index, scored again as SQLite's FTS5 scores.

PostgreSQL's own ranking knows no inverse document frequency. So the index keeps what BM25 needs beside the words: how
many documents hold each, and how long all are together. Both databases then rank alike.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Text,
    any_,
    cast,
    column,
    delete,
    func,
    literal,
    select,
    table,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TSQUERY, TSVECTOR, insert

from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.protocol import Document, Match
from commontrace_backend.index.sqlite_index import COLUMNS, MOST_TERMS, WEIGHTS
from commontrace_backend.index.terms import Stemmer, query_words, words_of

LABELS: Final = {"title": "A", "tags": "B", "errors": "C", "problem": "D", "solution": "D"}
"""Which of a tsvector's four weights says the column that a word stands in."""

_LABEL_WEIGHTS: Final = {LABELS[name]: weight for name, weight in zip(COLUMNS, WEIGHTS, strict=True)}

K1: Final = 1.2
B: Final = 0.75
"""The constants of BM25, and FTS5's: how soon repetition stops to count, how much length does."""

_FEWEST_CANDIDATES: Final = 200
_CANDIDATES_A_RESULT: Final = 4

_TIERS: Final = 4
"""How many rarities the choice of candidates tells apart."""

_PLACES: Final = cast([0.59, 0.81, 0.81, 1.0], ARRAY(REAL))

# A tsvector holds 255 positions a word, words of 2 kB, and 1 MB in all (manual, "Limitations" of text search types).
_MOST_POSITIONS: Final = 255
_LONGEST_WORD: Final = 500
_LONGEST_TEXT: Final = 200_000

_search = table("trace_search", column("number"), column("terms", TSVECTOR), column("length"))
_terms = table("search_terms", column("term", Text), column("documents"))
_totals = table("search_totals", column("documents"), column("length"))


@dataclass(frozen=True, slots=True)
class _Term:
    """A word of the query, its stem, how many documents hold it, and its inverse document frequency."""

    word: str
    stem: str
    documents: int
    weight: float


@dataclass(frozen=True, slots=True)
class _Query:
    """The terms of a query, rarest first, and what the collection holds: documents, and words in one on average."""

    terms: Sequence[_Term]
    documents: int
    average_length: float

    @property
    def known(self) -> Sequence[_Term]:
        """The terms that some document holds."""
        return [term for term in self.terms if term.documents]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A document with the query's stems that it holds, each with the label of every place where it stands."""

    number: int
    length: int
    labels: dict[str, str]


class PostgresIndex:
    """The stems of every served version as a tsvector, keyed by the trace's row number."""

    def __init__(self, key: Column[int]) -> None:
        self._key = key
        self._stemmer = Stemmer()

    async def put(self, session: WriteSession, document: Document) -> None:
        """Replace the document, and count what that changes."""
        labels = self._labels(document)
        length = sum(len(found) for found in labels.values())
        before = await session.first(
            select(_search.c.length, func.tsvector_to_array(_search.c.terms).label("stems")).where(
                _search.c.number == document.number
            )
        )
        stems_before, length_before = (set(before.stems), before.length) if before else (set(), 0)
        await _uncount(session, stems_before - labels.keys())
        await _count(session, labels.keys() - stems_before)
        await session.write(
            update(_totals).values(
                documents=_totals.c.documents + int(before is None), length=_totals.c.length + length - length_before
            )
        )
        row = {"terms": cast(_tsvector(labels), TSVECTOR), "length": length}
        await session.write(
            insert(_search)
            .values(number=document.number, **row)
            .on_conflict_do_update(index_elements=["number"], set_=row)
        )

    async def search(self, session: ReadSession, text: str, *, where: ColumnElement[bool], limit: int) -> list[Match]:
        """OR of the query's rarest terms, ranked by BM25 as FTS5 computes it."""
        query = await self._query(session, query_words(text))
        if not query.known:
            return []
        candidates: dict[int, _Candidate] = {}
        for row in await session.all(self._candidates(query, where, limit)):
            candidate = candidates.setdefault(row.number, _Candidate(row.number, row.length, {}))
            candidate.labels[row.lexeme] = row.labels
        matches = [_match(candidate, query) for candidate in candidates.values()]
        return sorted(matches, key=lambda match: (-match.score, match.number))[:limit]

    def _labels(self, document: Document) -> dict[str, str]:
        """Each stem of a document with the label of every place where it stands, most telling first."""
        found: dict[str, Counter[str]] = {}
        left = _LONGEST_TEXT
        for name in COLUMNS:
            words = _cut(words_of(getattr(document, name)[:left]))
            left -= sum(len(word) + 1 for word in words)
            stems = self._stemmer.stems(words)
            for word in words:
                if stem := stems.get(word):
                    found.setdefault(stem, Counter())[LABELS[name]] += 1
        return {stem: "".join(label * counts[label] for label in sorted(counts)) for stem, counts in found.items()}

    async def _query(self, session: ReadSession, words: Iterable[str]) -> _Query:
        """The rarest terms of a query with their weights, those that no document holds among them."""
        by_stem = {stem: word for word, stem in reversed(self._stemmer.stems(_cut(words)).items())}
        totals = await session.first(select(_totals))
        assert totals is not None
        counted = await session.all(select(_terms).where(_terms.c.term == any_(_array(by_stem))))
        holding = {row.term: row.documents for row in counted}
        terms = [
            _Term(word, stem, (held := holding.get(stem, 0)), _weight(held, totals.documents))
            for stem, word in by_stem.items()
        ]
        rarest = sorted(terms, key=lambda term: (not term.documents, -term.weight, term.stem))[:MOST_TERMS]
        return _Query(rarest, totals.documents, totals.length / max(1, totals.documents))

    def _candidates(self, query: _Query, where: ColumnElement[bool], limit: int) -> Select[Any]:
        """The likeliest documents, a row for each of the query's stems in each; only what decides leaves the server."""
        best = (
            select(_search.c.number, _search.c.length, _search.c.terms)
            .join(self._key.table, self._key == _search.c.number)
            .where(_search.c.terms.bool_op("@@")(_any_of(query.known)), where)
            .order_by(_likeness(query).desc(), _search.c.number)
            .limit(max(_FEWEST_CANDIDATES, _CANDIDATES_A_RESULT * limit))
            .subquery("best")
        )
        held = func.unnest(best.c.terms).table_valued("lexeme", "positions", "weights", name="held").render_derived()
        return (
            select(
                best.c.number, best.c.length, held.c.lexeme, func.array_to_string(held.c.weights, "").label("labels")
            )
            .select_from(best.join(held, true()))
            .where(held.c.lexeme == any_(_array(term.stem for term in query.known)))
        )


def _any_of(terms: Iterable[_Term]) -> ColumnElement[Any]:
    # A stem is letters and digits alone, and quoted besides: nothing a caller writes is query syntax.
    return cast(" | ".join(f"'{term.stem}'" for term in terms), TSQUERY)


def _likeness(query: _Query) -> ColumnElement[float]:
    """About what BM25 will say: ts_rank for terms of one rarity at a time, times that rarity, over the length.

    ts_rank divides by the number of terms, and its weights are how much one place in D, C, B or A earns in BM25.
    """
    size = -(-len(query.known) // _TIERS)
    tiers = [query.known[start : start + size] for start in range(0, len(query.known), size)]
    rank: ColumnElement[float] = sum(
        (
            func.ts_rank(_PLACES, _search.c.terms, _any_of(tier)) * sum(_rarity(term, query) for term in tier)
            for tier in tiers
        ),
        start=literal(0.0),
    )
    return rank / (1 + K1 * (1 - B + B * _search.c.length / query.average_length))


async def _count(session: WriteSession, stems: Iterable[str]) -> None:
    rows = select(func.unnest(_array(sorted(stems))), 1)
    more = {"documents": _terms.c.documents + 1}
    await session.write(
        insert(_terms)
        .from_select(["term", "documents"], rows)
        .on_conflict_do_update(index_elements=["term"], set_=more)
    )


async def _uncount(session: WriteSession, stems: Iterable[str]) -> None:
    named = _terms.c.term == any_(_array(stems))
    await session.write(delete(_terms).where(named, _terms.c.documents == 1))
    await session.write(update(_terms).where(named).values(documents=_terms.c.documents - 1))


def _array(texts: Iterable[str]) -> ColumnElement[Any]:
    return cast(list(texts), ARRAY(Text))


def _cut(words: Iterable[str]) -> list[str]:
    return [word[:_LONGEST_WORD] for word in words]


def _tsvector(labels: Mapping[str, str]) -> str:
    """A tsvector as text. The positions count a word's own places only: nothing looks at its neighbours."""
    return " ".join(
        f"'{stem}':" + ",".join(f"{place}{label}" for place, label in enumerate(found[:_MOST_POSITIONS], 1))
        for stem, found in labels.items()
    )


def _weight(held: int, documents: int) -> float:
    """Inverse document frequency, always positive."""
    return log(1 + (documents - held + 0.5) / (held + 0.5))


def _match(candidate: _Candidate, query: _Query) -> Match:
    found = [term for term in query.terms if term.stem in candidate.labels]
    return Match(
        number=candidate.number,
        score=sum(_bm25(term, candidate, query) for term in found),
        coverage=sum(term.weight for term in found) / sum(term.weight for term in query.terms),
        asked=len(query.terms),
        terms=tuple(term.word for term in found),
    )


def _bm25(term: _Term, candidate: _Candidate, query: _Query) -> float:
    """What a term adds to a document's score; the formula of FTS5's bm25() (sqlite.org/fts5.html, section 5.1.1)."""
    frequency = sum(_LABEL_WEIGHTS[label] for label in candidate.labels[term.stem])
    length = 1 - B + B * candidate.length / query.average_length
    return _rarity(term, query) * frequency * (K1 + 1) / (frequency + K1 * length)


def _rarity(term: _Term, query: _Query) -> float:
    """Inverse document frequency as FTS5 has it: next to nothing for a term in more than half of the documents."""
    return max(log((query.documents - term.documents + 0.5) / (term.documents + 0.5)), 1e-6)
