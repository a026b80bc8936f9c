"""Full-text search in PostgreSQL: candidates by ts_rank from a GIN index, weighed again by BM25 as SQLite's are.

PostgreSQL's own ranking knows no inverse document frequency. So the index keeps what BM25 needs beside the words: how
many documents hold each, and how long all are together. Both databases then rank alike.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    column,
    delete,
    false,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TSQUERY, TSVECTOR, insert

from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.bm25 import K1, WEIGHTS, B, Scorer, Term, Totals
from commontrace_backend.index.protocol import WORDS_VERSION, Document, Match, Question
from commontrace_backend.index.question import deciding
from commontrace_backend.index.terms import Stemmer, words_of
from commontrace_backend.index.wording import resembles, terms_of, without_words

LABELS: Final = {"title": "A", "tags": "B", "errors": "C", "problem": "D", "solution": "D"}
"""Which of a tsvector's four weights says the column that a word stands in."""

_LABEL_WEIGHTS: Final = {LABELS[name]: weight for name, weight in WEIGHTS.items()}

_FEWEST_CANDIDATES: Final = 200
_CANDIDATES_A_RESULT: Final = 4

_TIERS: Final = 4
"""How many weights the choice of candidates tells apart."""

_PLACES: Final = cast([0.59, 0.81, 0.81, 1.0], ARRAY(REAL))

# A tsvector holds 255 positions a word, words of 2 kB, and 1 MB in all (manual, "Limitations" of text search types).
_MOST_POSITIONS: Final = 255
_LONGEST_WORD: Final = 500
_LONGEST_TEXT: Final = 200_000

_search = table(
    "trace_search", column("number", Integer), column("version"), column("terms", TSVECTOR), column("length")
)
_terms = table("search_terms", column("term", Text), column("documents"))
_totals = table("search_totals", column("documents"), column("length"))
_STEMS: Final = select(_search.c.number, func.tsvector_to_array(_search.c.terms).label("stems")).where(
    OneOf(_search.c.number, "numbers")
)
_FREQUENCIES: Final = select(_totals, _terms.c.term, _terms.c.documents.label("holding")).select_from(
    _totals.outerjoin(_terms, OneOf(_terms.c.term, "stems"))
)

_AGREEMENT: Final = text(
    "SELECT (SELECT count(*) FROM trace_search) AS kept, (SELECT coalesce(sum(length), 0) FROM trace_search) AS words,"
    " (SELECT sum(documents) FROM search_totals) AS total, (SELECT sum(length) FROM search_totals) AS length,"
    " EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('ix_trace_search_terms') AND indisvalid) AS valid,"
    " (SELECT count(*) FROM ts_stat('SELECT terms FROM trace_search') AS s"
    " FULL JOIN search_terms AS t ON t.term = s.word WHERE t.documents IS DISTINCT FROM s.ndoc) AS miscounted"
)
_ANEW: Final = (
    "DELETE FROM trace_search",
    "DELETE FROM search_terms",
    "DELETE FROM search_totals",
    "INSERT INTO search_totals VALUES (0, 0)",
    "DROP INDEX IF EXISTS ix_trace_search_terms",
    "CREATE INDEX ix_trace_search_terms ON trace_search USING gin (terms)",
    "REINDEX TABLE search_terms",
)


class PostgresIndex:
    """The stems of every served version as a tsvector, keyed by the trace's row number."""

    def __init__(self, key: Column[int]) -> None:
        self._key = key
        self._stemmer = Stemmer()

    async def settle(self, session: WriteSession) -> None:
        """A row that was replaced is gone once its table is written anew."""

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
        row = {"version": WORDS_VERSION, "terms": cast(_tsvector(labels), TSVECTOR), "length": length}
        await session.write(
            insert(_search)
            .values(number=document.number, **row)
            .on_conflict_do_update(index_elements=["number"], set_=row)
        )

    async def search(
        self,
        session: ReadSession,
        question: Question,
        *,
        where: ColumnElement[bool],
        limit: int,
        also: Collection[int] = (),
    ) -> list[Match]:
        """Candidates by ts_rank over the query's words, then by BM25 with the query's own weights."""
        totals, terms = await terms_of(session, self, self._stemmer, question)
        held = [term for term in terms if term.documents]
        if not held and not also:
            return []
        asked = _tiers(deciding(terms, totals))
        statement = _rated(self._key, where, len(asked), max(_FEWEST_CANDIDATES, _CANDIDATES_A_RESULT * limit))
        scorer = Scorer(terms, totals)
        proposed: set[int] = set()
        matches: dict[int, Match] = {}
        for row in await session.all(statement, _question(held, asked, totals) | {"also": list(also)}):
            proposed |= {row.number} if row.proposed else set()
            counts = dict(zip(row.stems or (), map(_weight, row.labels or ()), strict=True))
            matches[row.number] = scorer.match(row.number, counts, row.length)
        ranked = sorted(matches.values(), key=lambda match: (-match.score, match.number))
        best = [match for match in ranked if match.score > 0 and match.number in proposed][:limit]
        others = {*also} - {match.number for match in best}
        return await self._with_stems(session, [*best, *(match for match in ranked if match.number in others)])

    async def pending(self, session: ReadSession, limit: int) -> Sequence[int]:
        """Traces without words of this version, oldest first."""
        rows = await session.all(without_words(self._key, _search).order_by(self._key).limit(limit))
        return [row[0] for row in rows]

    async def count_pending(self, session: ReadSession) -> int:
        """How many those are."""
        statement = select(func.count()).select_from(without_words(self._key, _search).subquery())
        return int(await session.scalar(statement))

    async def frequencies(self, session: ReadSession, stems: Collection[str]) -> tuple[Totals, dict[str, int]]:
        """As `put` has counted them."""
        rows = await session.all(_FREQUENCIES, {"stems": _cut(stems)})
        return Totals(rows[0].documents, rows[0].length), {row.term: row.holding for row in rows if row.term}

    async def resembling(self, session: ReadSession, stem: str) -> dict[str, int]:
        """A range of the counted stems: a slip in the first two letters is not found."""
        rows = await session.all(select(_terms).where(resembles(_terms.c.term, stem)))
        return {row.term: row.documents for row in rows}

    async def faults(self, session: WriteSession) -> list[str]:
        """Whether its GIN index is there and good, and the counts are those of the documents."""
        row = (await session.all(_AGREEMENT))[0]
        found = [] if row.valid else ["the GIN index of the words is gone, or was never finished"]
        if (row.kept, row.words) != (row.total, row.length):
            found.append(f"{row.kept} documents have {row.words} words, and {row.total} with {row.length} are counted")
        if row.miscounted:
            found.append(f"{row.miscounted} words are not counted as often as they stand in documents")
        return found

    async def differing(self, session: ReadSession, documents: Sequence[Document]) -> list[int]:
        """Compared with the stems and their places in the texts."""
        rows = await session.all(_kept([document.number for document in documents]))
        kept: dict[int, dict[str, str]] = {}
        lengths = {}
        for row in rows:
            lengths[row.number] = row.length
            kept.setdefault(row.number, {}).update({row.lexeme: row.labels} if row.lexeme is not None else {})
        wrong = []
        for document in documents:
            labels = self._labels(document)
            places = {stem: found[:_MOST_POSITIONS] for stem, found in labels.items()}
            length = sum(len(found) for found in labels.values())
            if document.number in kept and (places, length) != (kept[document.number], lengths[document.number]):
                wrong.append(document.number)
        return wrong

    async def empty(self, session: WriteSession) -> None:
        """Empty its tables, and make their indexes anew, which takes no time then."""
        for statement in _ANEW:
            await session.execute(text(statement))

    async def _with_stems(self, session: ReadSession, matches: Sequence[Match]) -> list[Match]:
        rows = await session.all(_STEMS, {"numbers": [match.number for match in matches]})
        stems = {row.number: frozenset(row.stems) for row in rows}
        return [replace(match, stems=stems[match.number]) for match in matches]

    def _labels(self, document: Document) -> dict[str, str]:
        """Each stem of a document with the label of every place where it stands, most telling first."""
        found: dict[str, Counter[str]] = {}
        left = _LONGEST_TEXT
        for name in WEIGHTS:
            words = _cut(words_of(getattr(document, name)[:left]))
            left -= sum(len(word) + 1 for word in words)
            stems = self._stemmer.stems(words)
            for word in words:
                if stem := stems.get(word):
                    found.setdefault(stem, Counter())[LABELS[name]] += 1
        return {stem: "".join(label * counts[label] for label in sorted(counts)) for stem, counts in found.items()}


# Built once a filter: to build such a statement costs more than to run it.
@lru_cache(maxsize=256)
def _rated(key: Column[int], where: ColumnElement[bool], tiers: int, limit: int) -> Select[Any]:
    """The likeliest documents by the terms of some tiers, and those of `also`, with the query's stems in each.

    Only what decides leaves the server: stems, and the labels of their places.
    """
    likely = (
        select(_search.c.number, _likeness(tiers).label("likeness"))
        .where(_search.c.terms.bool_op("@@")(_words("any")))
        .order_by(column("likeness").desc(), _search.c.number)
        .subquery("likely")
    )
    # In that order, so that no more are looked at for whether they may be shown than it takes to find enough.
    best = (
        select(likely.c.number, true().label("proposed"))
        .join(key.table, key == likely.c.number)
        .where(where)
        .order_by(likely.c.likeness.desc(), likely.c.number)
        .limit(literal_column(str(limit)))
    )
    more = select(_search.c.number, false().label("proposed")).where(OneOf(_search.c.number, "also"))
    chosen = union_all(best.subquery().select(), more).subquery("chosen") if tiers else more.subquery("chosen")
    found = (
        select(_search.c.number, _search.c.length, _search.c.terms, chosen.c.proposed)
        .join(chosen, chosen.c.number == _search.c.number)
        .subquery("found")
    )
    lexeme = column("lexeme", Text)
    place = func.unnest(found.c.terms).table_valued(lexeme, "positions", "weights", name="place").render_derived()
    held = (
        select(
            func.array_agg(lexeme).label("stems"),
            func.array_agg(func.array_to_string(place.c.weights, "")).label("labels"),
        )
        .where(OneOf(lexeme, "stems"))
        .lateral("held")
    )
    return select(found.c.number, found.c.length, found.c.proposed, held.c.stems, held.c.labels).join(held, true())


def _words(parameter: str) -> ColumnElement[Any]:
    # As a query of its own, so that the text is read once and not for every row.
    return select(cast(bindparam(parameter, type_=Text), TSQUERY)).scalar_subquery()


def _likeness(tiers: int) -> ColumnElement[float]:
    """About what BM25 will say: ts_rank for terms of one weight at a time, times that weight, over the length.

    ts_rank divides by the number of terms, and its weights are how much one place in D, C, B or A earns in BM25.
    """
    rank: ColumnElement[float] = sum(
        (
            func.ts_rank(_PLACES, _search.c.terms, _words(f"tier{tier}")) * bindparam(f"weight{tier}", type_=Double)
            for tier in range(tiers)
        ),
        start=literal(0.0),
    )
    return rank / (1 + K1 * (1 - B + B * _search.c.length / bindparam("average", type_=Double)))


def _tiers(terms: Sequence[Term]) -> list[Sequence[Term]]:
    """Terms of about one weight together, the heaviest first."""
    heaviest = sorted(terms, key=lambda term: (-term.weight, term.stem))
    size = max(1, -(-len(heaviest) // _TIERS))
    return [heaviest[start : start + size] for start in range(0, len(heaviest), size)]


def _question(held: Sequence[Term], tiers: Sequence[Sequence[Term]], totals: Totals) -> dict[str, Any]:
    """What `_rated` asks for its parameters."""
    asked: dict[str, Any] = {"stems": [term.stem for term in held]}
    if tiers:
        asked |= {"any": _any_of(chain.from_iterable(tiers)), "average": totals.words / max(1, totals.documents) or 1.0}
    for number, tier in enumerate(tiers):
        asked[f"tier{number}"] = _any_of(tier)
        asked[f"weight{number}"] = sum(term.weight for term in tier)
    return asked


def _any_of(terms: Iterable[Term]) -> str:
    # A stem is letters and digits alone, and quoted besides: nothing a caller writes is query syntax.
    return " | ".join(f"'{term.stem}'" for term in terms)


def _weight(labels: str) -> float:
    """How much a stem counts that stands in these places."""
    return float(min(sum(_LABEL_WEIGHTS[label] for label in labels), _MOST_POSITIONS))


def _kept(numbers: Collection[int]) -> Select[Any]:
    """All words of these documents, as far as they are of this version."""
    held = func.unnest(_search.c.terms).table_valued("lexeme", "positions", "weights", name="held").render_derived()
    return (
        select(
            _search.c.number, _search.c.length, held.c.lexeme, func.array_to_string(held.c.weights, "").label("labels")
        )
        .select_from(_search.outerjoin(held, true()))
        .where(_search.c.number.in_(numbers), _search.c.version == WORDS_VERSION)
    )


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
