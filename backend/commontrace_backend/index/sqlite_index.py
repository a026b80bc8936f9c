"""Full-text search in SQLite: FTS5 with Porter stemming and BM25, in the same file as the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    Select,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
)

from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.protocol import Document, Match
from commontrace_backend.index.terms import Stemmer, query_words, words_of

COLUMNS: Final = ("title", "problem", "solution", "tags", "errors")

WEIGHTS: Final = (4.0, 1.0, 1.0, 2.0, 2.0)
"""How much a word counts in each column: a title says most."""

MOST_TERMS: Final = 24
"""A long query is cut to its rarest terms: the common ones cost time and decide nothing."""

_fts = table("trace_search", column("rowid"), *(column(name) for name in COLUMNS))
_vocabulary = table("trace_terms", column("term"), column("doc"))
_bm25 = func.bm25(literal_column("trace_search"), *(literal_column(str(weight)) for weight in WEIGHTS))


@dataclass(frozen=True, slots=True)
class _Term:
    """A word of the query, its stem and its inverse document frequency."""

    word: str
    stem: str
    weight: float
    known: bool


class SqliteIndex:
    """The words of every served version in one FTS5 table, keyed by the trace's row number."""

    def __init__(self, key: Column[int]) -> None:
        self._key = key
        self._stemmer = Stemmer()

    async def put(self, session: WriteSession, document: Document) -> None:
        """Replace the document; FTS5 keeps its own copy of the words."""
        await session.write(delete(_fts).where(_fts.c.rowid == document.number))
        words = {name: getattr(document, name) for name in COLUMNS}
        await session.write(insert(_fts).values(rowid=document.number, **words))

    async def search(self, session: ReadSession, text: str, *, where: ColumnElement[bool], limit: int) -> list[Match]:
        """OR of the query's rarest terms, ranked by FTS5's bm25()."""
        terms = await self._terms(session, query_words(text))
        asked = [term for term in terms if term.known]
        if not asked:
            return []
        rows = await session.all(self._ranked(asked, where, limit))
        return [self._match(row, terms) for row in rows]

    async def _terms(self, session: ReadSession, words: Sequence[str]) -> list[_Term]:
        """The rarest terms of a query with their weights, and the words that no document holds."""
        by_stem = {stem: word for word, stem in reversed(self._stemmer.stems(words).items())}
        if not by_stem:
            return []
        documents = await session.scalar(select(func.max(self._key))) or 0
        counted = await session.all(select(_vocabulary).where(_vocabulary.c.term.in_(list(by_stem))))
        frequency = {row.term: row.doc for row in counted}
        terms = [
            _Term(word, stem, _idf(frequency.get(stem, 0), documents), stem in frequency)
            for stem, word in by_stem.items()
        ]
        return sorted(terms, key=lambda term: (-term.known, -term.weight, term.stem))[:MOST_TERMS]

    def _ranked(self, terms: Sequence[_Term], where: ColumnElement[bool], limit: int) -> Select[Any]:
        # Every word is quoted, so nothing a caller writes is query syntax.
        match = " OR ".join(f'"{term.word}"' for term in terms)
        return (
            select(self._key.label("number"), (-_bm25).label("score"), *(_fts.c[name] for name in COLUMNS))
            .select_from(_fts)
            .join(self._key.table, self._key == _fts.c.rowid)
            .where(text("trace_search MATCH :match").bindparams(match=match), where)
            .order_by(_bm25, self._key)
            .limit(limit)
        )

    def _match(self, row: Row[Any], terms: Sequence[_Term]) -> Match:
        words = words_of(" ".join(getattr(row, name) for name in COLUMNS))
        present = set(self._stemmer.stems(words).values())
        found = [term for term in terms if term.stem in present]
        total = sum(term.weight for term in terms)
        return Match(
            number=row.number,
            score=row.score,
            coverage=sum(term.weight for term in found) / total,
            asked=len(terms),
            terms=tuple(term.word for term in found),
        )


def _idf(frequency: int, documents: int) -> float:
    """Inverse document frequency as BM25 has it, always positive."""
    return log(1 + (documents - frequency + 0.5) / (frequency + 0.5)) if documents >= frequency else 0.1
