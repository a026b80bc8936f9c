"""Compression on the wire: what a summary lost, what would make a window fit, and whether it does."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from commontrace.models.base import Body, Record
from commontrace.models.contexts.common import RawMessage
from commontrace.models.contexts.editing import Change, ChangeResult, Selected, Targets

PlanAction = Literal["skip", "edit", "cover"]
"""Leave out; replace by a shorter message; stand a summary in its place."""
PlanKind = Literal["stale_read", "duplicate", "failed_turn", "tool_result", "old_messages"]
Risk = Literal["low", "medium", "high"]
"""low: the window says it elsewhere; medium: details go; high: words go that nothing but a summary repeats."""


class Loss(Record):
    """What of one kind a summary lost."""

    total: int = Field(ge=0, description="Different ones in the source.")
    lost: int = Field(ge=0, description="Of those, the ones that the summary does not say.")
    share_kept: float = Field(ge=0, le=1, description="1 where the source has none.")
    examples: list[str] = Field(default=[], description="At most 20 of the lost ones, most mentioned first.")


class LossReport(Record):
    """What is in messages and not in their summary."""

    names: Loss = Field(description="Identifiers, acronyms, options, capitalised words within sentences.")
    numbers: Loss
    paths: Loss
    urls: Loss
    negations: Loss = Field(description="Sentences that say what is not or must not be.")
    keeps: Loss = Field(description="What the must-keep patterns found; a summary that lacks any is refused.")


class PlannedAction(Record):
    """One step of a budget plan."""

    action: PlanAction
    kind: PlanKind
    slots: list[str] = Field(description="The slots that it changes, in order.")
    positions: list[int] = Field(description="Their places in the window.")
    tokens_saved: int
    rebilled: int = Field(description="Tokens of the window behind the first change, which no prompt cache holds then.")
    risk: Risk
    reason: str
    messages: dict[str, RawMessage] = Field(default={}, description="For an edit: slot to the message it gets.")
    target_tokens: int | None = Field(default=None, description="For a cover: the most that its summary may cost.")


class BudgetPlan(Record):
    """What would bring a window within a budget; nothing of it has been done."""

    budget: int
    tokens_before: int
    tokens_after: int = Field(description="At most, once every action is done.")
    rebilled: int = Field(description="Tokens behind the earliest change of all.")
    actions: list[PlannedAction]


class BudgetPolicy(Body):
    """What happens as a window fills.

    Attributes:
        limit: tokens that the model takes.
        reserve: tokens of those that are kept free for its answer.
        when_full: warn only; reject what does not fit; or compress once `high` is passed.
        high: the share of the room at which it begins.
        low: the share at which it ends, so that not every message compresses again.
    """

    limit: int = Field(gt=0)
    reserve: int = Field(default=0, ge=0)
    when_full: Literal["warn", "reject", "compress"] = "warn"
    high: float = Field(default=0.9, gt=0, le=1)
    low: float = Field(default=0.6, gt=0, le=1)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.reserve >= self.limit:
            raise ValueError("reserve leaves no room: make it smaller than limit")
        if self.low >= self.high:
            raise ValueError("low must be below high, or every message would compress again")
        return self

    @property
    def room(self) -> int:
        """Tokens for the window: the limit without the reserve."""
        return self.limit - self.reserve


class BudgetVerdict(Record):
    """What a policy says of a window."""

    verdict: Literal["ok", "warn", "reject", "compress"]
    tokens: int
    room: int = Field(description="Tokens that the window may have.")
    target: int | None = Field(default=None, description="For compress: bring the window down to this.")
    reason: str


class NewCompress(Selected):
    """Messages for which a summary is to stand; without `slots` and `select`, all but the newest groups."""

    keep_newest: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=10, description="Groups at the end that stay, where nothing is selected."
    )
    text: Annotated[str, Field(min_length=1, max_length=4_000_000)] | None = Field(
        default=None, description="The summary; default: what the offline summarizer keeps."
    )
    target_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The most that the summary may have; default: a fifth of what it covers."
    )
    keep: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=200)] = Field(
        default=[], description="What it must say word for word: texts, or /patterns/."
    )
    force: bool = Field(default=False, description="Accept a summary that is longer than what it covers.")
    material: bool = Field(default=False, description="With dry_run: also send the messages that are to be summarised.")


class CompressResult(ChangeResult):
    """What a summary came to."""

    summary_slot: str | None = Field(default=None, description="Where it stands; None where nothing was to be done.")
    covered: list[str] = Field(default=[], description="The slots that it stands for.")
    covered_tokens: int = 0
    summary_tokens: int = 0
    text: str = ""
    loss: LossReport | None = None
    keep: list[str] = Field(default=[], description="Every must-keep pattern that it had to obey.")
    material: list[RawMessage] = []


class NewExpand(Selected):
    """Summaries that are to give way to what they stand for; `only` names those of them that are to come back."""

    only: Targets = []


class NewPlan(Change):
    """A budget that the window is to fit; with `apply` the plan is carried out as one commit."""

    budget: Annotated[int, Field(ge=1)]
    keep_newest: Annotated[int, Field(ge=0, le=100_000)] = 4
    apply: bool = False


class PlanResult(Record):
    """A plan, and what it came to where it was carried out."""

    plan: BudgetPlan
    applied: ChangeResult | None = None
