"""What a search index does, whatever database it lives in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import ColumnElement

from commontrace_backend.database.session import ReadSession, WriteSession

WORDS_VERSION: Final = "2"
"""Changes when a document's words are taken from it in another way, so that they are taken anew."""


@dataclass(frozen=True, slots=True)
class Document:
    """The words a trace is found by, field by field; `number` is the trace's row number."""

    number: int
    title: str
    problem: str
    solution: str
    tags: str
    errors: str


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks; the words of the `headline` say what it is about and count for more."""

    text: str
    headline: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A document and what its words say about a query.

    Attributes:
        number: the trace's row number.
        score: BM25, higher is better.
        share: the score as a share of what a document full of the query's known words could reach.
        coverage: the same, but of all its words, also those that no document holds.
        asked: how many words the query was weighed by.
        terms: the query's words found in the document, heaviest first.
        stems: every stem of the document.
    """

    number: int
    score: float
    share: float
    coverage: float
    asked: int
    terms: tuple[str, ...]
    stems: frozenset[str]


class SearchIndex(Protocol):
    """Finds documents by words. It changes in the transaction that changes the rows."""

    async def put(self, session: WriteSession, document: Document) -> None:
        """Add a document, or replace the one with its number."""
        ...

    async def settle(self, session: WriteSession) -> None:
        """Leave nothing of documents that were replaced in the index's own tables."""
        ...

    async def search(
        self,
        session: ReadSession,
        question: Question,
        *,
        where: ColumnElement[bool],
        limit: int,
        also: Collection[int] = (),
    ) -> list[Match]:
        """The best `limit` documents among the traces that satisfy `where`, best first.

        `where` is applied before the cut, so a filter never costs a hit. Those of `also` are rated too, wherever they
        rank: they come after the others where their words alone would not have found them.
        """
        ...

    async def pending(self, session: ReadSession, limit: int) -> Sequence[int]:
        """Row numbers of traces whose words are missing or were taken by an older version of ours."""
        ...

    async def count_pending(self, session: ReadSession) -> int:
        """How many those are."""
        ...

    async def faults(self, session: WriteSession) -> list[str]:
        """What in the index does not fit together; whether it fits the traces, `differing` says."""
        ...

    async def differing(self, session: ReadSession, documents: Sequence[Document]) -> list[int]:
        """Those of the documents whose words are kept, and are not those that `put` would keep; their numbers."""
        ...

    async def empty(self, session: WriteSession) -> None:
        """Make the index anew without any document; all are pending then."""
        ...
