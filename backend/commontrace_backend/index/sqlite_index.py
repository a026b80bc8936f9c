"""Full-text search in SQLite: FTS5 finds candidates, BM25 over their counted stems ranks them; one file, one commit.

The stems are made by SQLite's own Porter tokenizer before they are stored, so that a document can be weighed again
without being read: `trace_words` holds them with their weighted counts.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Integer,
    Row,
    Select,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.exc import DatabaseError

from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.bm25 import WEIGHTS, Scorer, Term, Totals
from commontrace_backend.index.protocol import WORDS_VERSION, Document, Match, Question
from commontrace_backend.index.question import deciding
from commontrace_backend.index.terms import Stemmer, words_of
from commontrace_backend.index.wording import resembles, terms_of, without_words

POOL: Final = 50
"""Candidates that FTS5 finds and BM25 weighs again, at least."""

_WIDER: Final = 4  # looked at for each candidate wanted, before the whole result is filtered
_MOST_COUNTED: Final = 255

_fts = table("trace_search", column("rowid"), *(column(name) for name in WEIGHTS))
_vocabulary = table("trace_terms", column("term"), column("doc"))
_words = table("trace_words", *(column(name) for name in ("number", "version", "length", "stems", "counts")))
_totals = table("search_totals", column("documents"), column("words"))
_RANK: Final = f"bm25(trace_search, {', '.join(map(str, WEIGHTS.values()))})"
_SETTLE: Final = text("INSERT INTO trace_search(trace_search) VALUES ('optimize')")
_BEST: Final = (
    text(
        f"SELECT rowid AS number, {_RANK} AS place FROM trace_search"  # noqa: S608  # nosec B608 - our own weights
        " WHERE trace_search MATCH :match ORDER BY place, rowid LIMIT :wide"
    )
    .columns(column("number", Integer), column("place", Float))
    .cte("best")
)
_FREQUENCIES: Final = text(
    "SELECT documents, words, term, doc FROM search_totals"
    " LEFT JOIN trace_terms ON term IN (SELECT value FROM json_each(:stems))"
)
_CHECK: Final = text("INSERT INTO trace_search(trace_search) VALUES ('integrity-check')")
_AGREEMENT: Final = text(
    "SELECT (SELECT count(*) FROM trace_words) AS kept, (SELECT count(*) FROM trace_search) AS found,"
    " (SELECT sum(documents) FROM search_totals) AS total, (SELECT sum(words) FROM search_totals) AS words,"
    " (SELECT coalesce(sum(length), 0) FROM trace_words) AS length"
)
_ANEW: Final = (
    "DROP TABLE IF EXISTS trace_terms",
    "DROP TABLE IF EXISTS trace_search",
    f"CREATE VIRTUAL TABLE trace_search USING fts5({', '.join(WEIGHTS)}, tokenize='unicode61')",
    "CREATE VIRTUAL TABLE trace_terms USING fts5vocab(trace_search, row)",
    "DELETE FROM trace_words",
    "DELETE FROM search_totals",
    "INSERT INTO search_totals VALUES (0, 0)",
)
"""As the migrations made them; the stems are made before they are stored, so the tokenizer only splits at spaces."""

_READ: Final = select(_words).where(OneOf(_words.c.number, "numbers"))
_FOUND: Final = select(_fts).where(OneOf(_fts.c.rowid, "numbers"))


class SqliteIndex:
    """The words of every served version, keyed by the trace's row number."""

    def __init__(self, key: Column[int]) -> None:
        self._key = key
        self._stemmer = Stemmer()

    async def settle(self, session: WriteSession) -> None:
        """Merge the segments of FTS5, which hold the words of deleted documents until then."""
        await session.execute(_SETTLE)

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
        totals, terms = await terms_of(session, self, self._stemmer, question)
        rows = await self._candidates(session, _expression(deciding(terms, totals)), where, max(POOL, limit))
        proposed = {row.number for row in rows}
        if rest := set(also) - proposed:
            rows = [*rows, *await session.all(_READ, {"numbers": sorted(rest)})]
        scorer = Scorer(terms, totals)
        ranked = sorted((_match(row, scorer) for row in rows), key=lambda match: (-match.score, match.number))
        found = [match for match in ranked if match.score > 0 and match.number in proposed][:limit]
        rest = set(also) - {match.number for match in found}
        return [*found, *(match for match in ranked if match.number in rest)]

    async def pending(self, session: ReadSession, limit: int) -> Sequence[int]:
        """Traces without words of this version, oldest first."""
        rows = await session.all(without_words(self._key, _words).order_by(self._key).limit(limit))
        return [row[0] for row in rows]

    async def count_pending(self, session: ReadSession) -> int:
        """How many those are."""
        statement = select(func.count()).select_from(without_words(self._key, _words).subquery())
        return int(await session.scalar(statement))

    async def frequencies(self, session: ReadSession, stems: Collection[str]) -> tuple[Totals, dict[str, int]]:
        """As FTS5 counts them."""
        rows = await session.all(_FREQUENCIES, {"stems": json.dumps(sorted(stems))})
        return Totals(rows[0].documents, rows[0].words), {row.term: row.doc for row in rows if row.term}

    async def resembling(self, session: ReadSession, stem: str) -> dict[str, int]:
        """A range of FTS5's vocabulary: a slip in the first two letters is not found."""
        rows = await session.all(select(_vocabulary).where(resembles(_vocabulary.c.term, stem)))
        return {row.term: row.doc for row in rows}

    async def faults(self, session: WriteSession) -> list[str]:
        """FTS5's own check, and whether its rows, the counted words and the totals agree."""
        try:
            await session.execute(_CHECK)
            row = (await session.all(_AGREEMENT))[0]
        except DatabaseError as error:
            return [f"the full-text index is damaged ({error.orig})"]
        found = []
        if not row.kept == row.found == row.total:
            found.append(f"{row.kept} documents have words, {row.found} can be found, and {row.total} are counted")
        if row.length != row.words:
            found.append(f"the documents have {row.length} words, and {row.words} are counted")
        return found

    async def differing(self, session: ReadSession, documents: Sequence[Document]) -> list[int]:
        """Compared with the stems and counts of their texts."""
        numbers = [document.number for document in documents]
        words = {row.number: row for row in await session.all(_READ, {"numbers": numbers})}
        found = {row.rowid: row for row in await session.all(_FOUND, {"numbers": numbers})}
        wrong = []
        for document in documents:
            kept = words.get(document.number)
            if kept is None or kept.version != WORDS_VERSION:
                continue  # pending
            stems = self._stems_of(document)
            counts = _weighted(stems)
            length = sum(len(one) for one in stems.values())
            if (kept.length, kept.stems, kept.counts) != (length, " ".join(counts), bytes(counts.values())) or (
                tuple(found.get(document.number, ()))[1:] != tuple(" ".join(one) for one in stems.values())
            ):
                wrong.append(document.number)
        return wrong

    async def empty(self, session: WriteSession) -> None:
        """Drop the tables of FTS5, whatever is in them."""
        for statement in _ANEW:
            await session.execute(text(statement))

    async def _candidates(
        self, session: ReadSession, match: str, where: ColumnElement[bool], pool: int
    ) -> Sequence[Row[Any]]:
        """The words of the best documents that satisfy `where`: few are looked up to be filtered."""
        if not match:
            return []
        asked = {"match": match, "pool": pool}
        wide = pool * _WIDER
        rows = await session.all(_among_best(self._key, where), {**asked, "wide": wide})
        if len(rows) == pool or (rows and rows[0].looked < wide):
            return rows
        return await session.all(_among_all(self._key, where), asked)


# Built once a filter, for building them costs more than running them.
@lru_cache(maxsize=128)
def _among_best(key: Column[int], where: ColumnElement[bool]) -> Select[Any]:
    """The words of those among FTS5's best that satisfy a filter, and how many it looked at."""
    looked = select(func.count()).select_from(_BEST).scalar_subquery().label("looked")
    return (
        select(_words, looked)
        .join(_BEST, _BEST.c.number == _words.c.number)
        .join(key.table, key == _words.c.number)
        .where(where)
        .order_by(_BEST.c.place, _words.c.number)
        .limit(bindparam("pool"))
    )


@lru_cache(maxsize=128)
def _among_all(key: Column[int], where: ColumnElement[bool]) -> Select[Any]:
    """The same, however many have to be looked at."""
    best = (
        select(key.label("number"), literal_column(_RANK).label("place"))
        .select_from(_fts)
        .join(key.table, key == _fts.c.rowid)
        .where(text("trace_search MATCH :match"), where)
        .order_by(text("place"), key)
        .limit(bindparam("pool"))
        .subquery()
    )
    return select(_words).join(best, best.c.number == _words.c.number)


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


def _match(row: Row[Any], scorer: Scorer) -> Match:
    counts = dict(zip(row.stems.split(), row.counts, strict=True))
    return scorer.match(row.number, counts, row.length)
