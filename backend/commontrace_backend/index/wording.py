"""A question's terms against what an index holds, the same for every database."""

from collections.abc import Collection
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Select, TableClause, and_, exists, func, select

from commontrace_backend.database.session import ReadSession
from commontrace_backend.index.bm25 import Term, Totals
from commontrace_backend.index.protocol import WORDS_VERSION, Question
from commontrace_backend.index.question import correction, may_be_misspelt, said, weighed
from commontrace_backend.index.terms import Stemmer


class Vocabulary(Protocol):
    """The stems that an index holds."""

    async def frequencies(self, session: ReadSession, stems: Collection[str]) -> tuple[Totals, dict[str, int]]:
        """The whole index, and in how many documents each of these stands; those in none are missing."""
        ...

    async def resembling(self, session: ReadSession, stem: str) -> dict[str, int]:
        """Stems that begin like this one and are about as long, each with its number of documents."""
        ...


def resembles(term: ColumnElement[str], stem: str) -> ColumnElement[bool]:
    """Whether a stem of an index begins like this one and is about as long: its first two letters are right."""
    first = stem[:2]
    return and_(
        term >= first,
        term < first[:-1] + chr(ord(first[-1]) + 1),
        func.length(term).between(len(stem) - 2, len(stem) + 2),
    )


def without_words(key: Column[int], words: TableClause) -> Select[Any]:
    """The traces whose words are missing from a table of `number` and `version`, or of an older version of ours."""
    there = exists().where(words.c.number == key, words.c.version == WORDS_VERSION)
    return select(key).where(~there)


async def terms_of(
    session: ReadSession, vocabulary: Vocabulary, stemmer: Stemmer, question: Question
) -> tuple[Totals, list[Term]]:
    """The whole index, and the terms to search by: the heaviest first, misspelt ones corrected, then other names."""
    asked = said(question, stemmer)
    stems = {item.stem for item in asked} | {stem for item in asked for _, stem in item.aliases}
    totals, frequency = await vocabulary.frequencies(session, stems)
    terms = weighed(asked, frequency, totals)
    corrected = {
        term.stem: correction(term, await vocabulary.resembling(session, term.stem), totals)
        for term in may_be_misspelt(terms)
    }
    return totals, [corrected.get(term.stem) or term for term in terms]
