"""What two stores say to each other when knowledge moves between them: versions by content address."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from commontrace.models.base import Body, Record
from commontrace.models.problem import Problem
from commontrace.models.search import Hit, QueryAnswer
from commontrace.models.traces import ShortText, Standing, TraceContent, TraceState, Visibility

MOST_SEEN: Final = 200
"""Traces of one look, and of one page of changes."""

MOST_VERSIONS: Final = 200
"""Versions of a trace that travel."""

MOST_TOGETHER: Final = 32
"""Traces of one request that brings or fetches them with their words."""

MOST_BYTES: Final = 256 * 1024
"""Bytes of words in such a request, where it has more than one trace."""

VersionId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Versions = Annotated[list[VersionId], Field(min_length=1, max_length=MOST_VERSIONS)]

DeliveryAction = Literal["added", "updated", "kept", "newer", "proposed", "diverged", "gone"]
"""What came of a delivery: a new trace, its next version, nothing new, newer here than there, a version that its owner
decides on, one beside another that was made here meanwhile, or nothing since it was removed here."""


class ChangedTrace(Record):
    """A trace that changed since some time; of a removed one nothing but the ids."""

    trace_id: str
    version_id: str = Field(description="The version that is served.")
    versions: list[str]
    state: TraceState
    visibility: Visibility
    title: str
    mine: bool = Field(description="Whether the trace, or the version that it serves, is the caller's.")


class Changes(Record):
    """Traces that changed, in the order of their last change."""

    changed: list[ChangedTrace]
    cursor: int = Field(description="Where the next call goes on.")
    more: bool


class Look(Body):
    """Which of these versions are there? Each list is of one trace."""

    traces: Annotated[list[Versions], Field(max_length=MOST_SEEN)]


class KnownTrace(Record):
    """What a store has of a trace that it was asked about; without an id it has nothing of it."""

    trace_id: str | None = None
    version_id: str | None = None
    versions: list[str] = Field(default=[], description="Every version that it has, of those asked for and others.")
    state: TraceState | None = None
    visibility: Visibility | None = None
    mine: bool = False


class TravelVersion(Body):
    """A version on its way: what it came after, by its parent or by a decision, and its words."""

    version_id: VersionId
    after: Annotated[list[VersionId], Field(max_length=MOST_VERSIONS)] = []
    content: TraceContent | None = Field(default=None, description="Left out where the receiver has it.")


class TraceHistory(Record):
    """Every version of a trace with what it came after, oldest first."""

    trace_id: str
    version_id: str
    versions: list[TravelVersion]
    state: TraceState
    visibility: Visibility


class WantedTraces(Body):
    """Traces to fetch with all their versions."""

    trace_ids: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{6,32}$")]], Field(min_length=1, max_length=MOST_TOGETHER)
    ]


class FetchedTrace(Record):
    """A trace that was asked for, or why there is none."""

    history: TraceHistory | None = None
    problem: Problem | None = None


class Delivery(Body):
    """A trace as another store has it."""

    versions: Annotated[list[TravelVersion], Field(min_length=1, max_length=MOST_VERSIONS)]
    serves: VersionId
    visibility: Literal["private", "team"] = "private"
    origin: Literal["contributed", "imported"] = Field(
        default="contributed", description="An imported one belongs to a reserved contributor."
    )
    insist: bool = Field(default=False, description="Store although a near-duplicate is known.")
    dry_run: bool = Field(default=False, description="Say what would come of it; change nothing.")
    note: ShortText = Field(default="", description="Where it comes from, for whoever decides on it.")


class DeliveryResult(Record):
    """What came of a delivery."""

    action: DeliveryAction
    trace_id: str | None
    version_id: str = Field(description="The version that is served here now.")
    amendment_id: str | None = Field(default=None, description="What waits for a decision.")
    notes: list[str] = []


class Deliveries(Body):
    """Traces as another store has them."""

    deliveries: Annotated[list[Delivery], Field(min_length=1, max_length=MOST_TOGETHER)]


class DeliveredTrace(Record):
    """What came of one of several deliveries, or why nothing did."""

    result: DeliveryResult | None = None
    problem: Problem | None = None


RemoteKind = Literal["server", "store", "folder"]
"""What a remote is: a server over HTTP, a store that runs in this process, or a folder with one file a trace."""


class RemoteInfo(Record):
    """A remote as it may be shown: its key never is."""

    name: str
    url: str
    kind: RemoteKind
    has_key: bool = False


class TransferItem(Record):
    """What came, or would come, of one trace."""

    trace_id: str = Field(description="Its id in your own store; of one that is not there yet, at the remote.")
    title: str = ""
    action: Literal[DeliveryAction, "removed", "restored", "left", "failed"]
    remote_id: str | None = None
    visibility: Visibility | None = Field(default=None, description="Who may see it where it goes.")
    versions: list[TravelVersion] = Field(default=[], description="In a dry run: what would go, word for word.")
    bytes: int = Field(default=0, description="How much went, or would go.")
    code: str = Field(default="", description="Of the error, where it failed.")
    detail: str = ""
    hint: str = ""


class TransferReport(Record):
    """What a push or pull came to."""

    remote: str
    direction: Literal["push", "pull"]
    dry_run: bool = False
    items: list[TransferItem] = Field(default=[], description="All but those where there was nothing to do.")
    kept: int = Field(default=0, description="Traces that both sides had alike.")
    held_back: int = Field(default=0, description="Traces of yours that others may see here and that never went there.")
    problem: str = Field(default="", description="Why it waits in the outbox: the remote did not answer.")

    def count(self, *actions: str) -> int:
        """How many traces this came of."""
        return sum(item.action in actions for item in self.items)


class OutboxItem(Record):
    """Something that waits for a remote to answer."""

    item_id: int
    remote: str
    kind: Literal["trace", "vote", "context"]
    subject: str = Field(description="The trace, or the context and its branches.")
    created_at: datetime
    tries: int
    problem: str = ""
    refused: bool = Field(
        default=False, description="Put aside, for the remote will not take it as it is; sent again only when told to."
    )


class SyncReport(Record):
    """What a sync came to: what waited, then what is new there, then what is new here."""

    remote: str
    delivered: int = Field(description="Things of the outbox that are there now.")
    waiting: list[OutboxItem]
    refused: list[OutboxItem] = Field(default=[], description="What is put aside, now or before, with the reason.")
    pull: TransferReport | None = None
    push: TransferReport | None = None
    problem: str = Field(default="", description="Why it stopped: the remote did not answer.")


class Source(Record):
    """A store that was asked, and whether it answered."""

    remote: str = Field(description="Empty for your own store.")
    answered: bool
    hits: int = 0
    problem: str = ""


class Elsewhere(Record):
    """The same version in another store, with the standing that it has there."""

    remote: str
    trace_id: str
    standing: Standing


class FederatedHit(Hit):
    """A hit, with where it is from."""

    remote: str = Field(default="", description="Empty for your own store.")
    elsewhere: list[Elsewhere] = []


class FederatedAnswer(QueryAnswer):
    """Hits of several stores in one order; `sources` says who answered."""

    hits: list[FederatedHit]  # type: ignore[assignment] # hits that say more
    sources: list[Source]
