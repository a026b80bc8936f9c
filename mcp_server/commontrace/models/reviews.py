"""Reviews on the wire: what awaits a decision, what was decided, and who vouches for whom."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from commontrace.models.base import Body, Record
from commontrace.models.contributors import ContributorRef
from commontrace.models.contributors import Label as Name
from commontrace.models.traces import Tier, TraceState, Visibility

ReviewCause = Literal[
    "hidden", "quarantined", "pending", "flagged", "disputed", "burst", "removal", "duplicate", "amendment"
]
"""Why something waits: hidden by flags, quarantined by outcomes or labels, a publication or an amendment to approve,
flags that do not hide it, bad outcomes of strangers, outcomes left out as a burst, a removal that wants a second
reviewer, or an older trace of the organization that says nearly the same."""

ReviewAction = Literal["approve", "reject", "restore", "reverse", "vouch", "unvouch", "pin", "unpin"]
"""What was decided."""

Reason = Annotated[str, Field(min_length=1, max_length=4_000)]


class ReviewItem(Record):
    """Something that awaits a decision."""

    subject: str = Field(description="What to approve or reject: the id of a trace or an amendment.")
    causes: list[ReviewCause]
    trace_id: str
    title: str
    state: TraceState
    tier: Tier
    visibility: Visibility
    organization_name: str
    contributor: ContributorRef
    notes: list[str] = Field(default=[], description="Reasons of flags, notes of outcomes, proposals of removal.")


class NewReview(Body):
    """A decision on something that waits."""

    action: Literal["approve", "reject", "restore"]
    reason: Reason


class Reversal(Body):
    """Take back what somebody published, reported and flagged since a moment: exactly one of the three names whom."""

    contributor: Name | None = Field(default=None, description="A contributor's id, or their name in your own.")
    organization: Name | None = Field(default=None, description="An organization's name.")
    lineage: Name | None = Field(default=None, description="The contributor whose invitations led to them, by id.")
    since: datetime
    reason: Reason
    dry_run: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(name is not None for name in (self.contributor, self.organization, self.lineage)) != 1:
            raise ValueError("name exactly one of contributor, organization and lineage")
        return self


class ReviewDecision(Record):
    """A decision, which stays on record; most can be undone by restoring its id."""

    decision_id: str
    action: ReviewAction
    subject: str
    reason: str
    contributor: ContributorRef
    created_at: datetime
    complete: bool = Field(default=True, description="False: a removal that waits for a second reviewer.")
    traces: list[str] = Field(default=[], description="Traces that it took out of every answer.")
    outcomes: int = Field(default=0, description="Outcomes that it made count for nothing.")
    flags: int = Field(default=0, description="Flags that it undid.")
    undone_at: datetime | None = None


class NewVouch(Body):
    """An organization that yours answers for."""

    organization: Name
    reason: Reason
    seed: bool = Field(default=False, description="Everybody's walk begins there too; for who runs the store.")


class Vouch(Record):
    """What the caller's organization knows of another one."""

    organization_name: str
    vouched: bool = Field(description="Yours answers for it.")
    invited: bool = Field(description="Yours brought it in.")
    seed: bool = Field(description="Everybody's walk begins there.")
    confirmed: int = Field(description="Public traces of theirs that worked for yours, at most 3.")
    voice: float = Field(description="How loud it is to yours: 0 to 1.")
    reason: str = ""
