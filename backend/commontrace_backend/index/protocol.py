"""What a search index does, whatever database it lives in."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement

from commontrace_backend.database.session import ReadSession, WriteSession


@dataclass(frozen=True, slots=True)
class Document:
    """The words a trace is found by, column by column; `number` is the trace's row number."""

    number: int
    title: str
    problem: str
    solution: str
    tags: str
    errors: str


@dataclass(frozen=True, slots=True)
class Match:
    """A document that shares words with a query.

    Attributes:
        number: the trace's row number.
        score: BM25, higher is better.
        coverage: share (0 to 1) of the query's weight, by inverse document frequency, that the document matches.
        asked: how many words the query was weighed by.
        terms: the query's words found in the document, rarest first.
    """

    number: int
    score: float
    coverage: float
    asked: int
    terms: tuple[str, ...]


class SearchIndex(Protocol):
    """Finds documents by words. It changes in the transaction that changes the rows."""

    async def put(self, session: WriteSession, document: Document) -> None:
        """Add a document, or replace the one with its number."""
        ...

    async def search(self, session: ReadSession, text: str, *, where: ColumnElement[bool], limit: int) -> list[Match]:
        """The best `limit` documents among the traces that satisfy `where`, best first.

        `where` is applied before the cut, so a filter never costs a hit.
        """
        ...
