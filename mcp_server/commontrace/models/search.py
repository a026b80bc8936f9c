"""Queries and their answers on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Body, Record
from commontrace.models.contributors import ContributorRef
from commontrace.models.traces import (
    Environment,
    Label,
    Risks,
    Standing,
    Tags,
    TraceContent,
    TraceRef,
    Visibility,
)

Detail = Literal["index", "full"]
"""One line a hit, or the bodies too."""


class Query(Body):
    """What somebody needs to know. At least one of query, error, tags or ids must say something."""

    query: str = ""
    error: str = Field(default="", description="The error as printed; an exact fingerprint match comes first.")
    environment: Environment = Environment()
    tags: Tags = []
    ids: Annotated[list[TraceRef], Field(max_length=20)] = Field(default=[], description="Fetch these, in this order.")
    limit: Annotated[int, Field(ge=1, le=50)] = 5
    max_tokens: Annotated[int, Field(ge=100, le=50_000)] | None = None
    detail: Detail = "index"
    include_unproven: bool = Field(default=False, description="Also public traces that nobody has corroborated yet.")
    exact: bool = Field(default=False, description="Only what holds this very error; nothing is noted of a miss.")
    explain: bool = False
    fold: bool = Field(default=True, description="Fold near-duplicates into the best of them.")
    silence: bool = Field(default=True, description="Answer nothing when nothing is good enough.")


class Factor(Record):
    """One part of a hit's score and its size."""

    name: str
    value: float
    reason: str = ""


class Hit(Record):
    """A trace that answers a query."""

    trace_id: str
    short_id: str = Field(description="The shortest prefix of the id that is served as a name.")
    version_id: str
    version_number: int
    title: str
    tags: list[str]
    standing: Standing
    visibility: Visibility
    contributor: ContributorRef
    updated_at: datetime
    score: float
    why: str = Field(description="Why it matched: exact error, or the words it shares with the query.")
    fit: str = Field(default="", description="How its versions fit the caller's environment, where both are known.")
    also: list[str] = Field(default=[], description="Short ids of near-duplicates that this hit stands for.")
    labels: list[Label] = []
    risks: Risks = Risks()
    body: TraceContent | None = None
    similarity: float | None = Field(default=None, description="With explain: the cosine, where vectors were compared.")
    matched: list[str] = Field(default=[], description="With explain: the query's words found, heaviest first.")
    factors: list[Factor] = Field(default=[], description="With explain: what the score is the product of.")


class QueryAnswer(Record):
    """Hits, best first; or none, and then `notes` says what to do."""

    hits: list[Hit]
    mode: Literal["fingerprint", "hybrid", "lexical", "ids", "tags"] = Field(description="What served the answer.")
    left_out: int = Field(default=0, description="Good hits or bodies that did not fit limit or max_tokens.")
    notes: list[str] = []


class IndexState(Record):
    """How far what is derived from traces has kept up with them; searching goes on meanwhile."""

    traces: int
    words: int = Field(description="How many can be found by their words.")
    model: str | None = Field(default=None, description="The model that embeds; None where words alone serve.")
    embedded: int = Field(default=0, description="How many can be found by meaning.")
    reason: str = Field(default="", description="Why embedding does not go on.")

    @property
    def steps(self) -> int:
        """How much there is to do in all: words, and vectors where a model embeds."""
        return self.traces * (2 if self.model else 1)

    @property
    def steps_done(self) -> int:
        """How much of it is done."""
        return self.words + self.embedded

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.steps_done >= self.steps


class Wanted(Record):
    """A question that was asked in vain, by how many, and that has no answer yet."""

    example: str = Field(description="How it was asked last, without secrets; a long one without its middle.")
    fingerprint: str | None = Field(default=None, description="The key of its error, where it was one.")
    people: int = Field(description="Distinct contributors who asked.")
    times: int = Field(description="How often it was asked.")
    last_asked: datetime
