"""A shell command that is about to run, on the wire."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from commontrace.models.base import Body, Record
from commontrace.models.traces import Label, Tier

MOST_KEYS: Final = 500
"""Simple commands of one command line that are looked up."""

CommandKey = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class NewCheck(Body):
    """A command to be looked at before it runs: itself, or what it is looked up by, which says nothing of it."""

    command: str | None = Field(default=None, max_length=64_000, description="One or more lines of shell.")
    keys: list[CommandKey] | None = Field(
        default=None,
        max_length=MOST_KEYS,
        description="Hashes of its simple commands, in place of it; its risks are then not looked at.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.command is None) == (self.keys is None):
            raise ValueError("give command or keys: one of both")
        return self


class CommandMatch(Record):
    """A trace you were shown that holds one of the commands."""

    trace_id: str
    title: str = Field(description="Empty where you may not see the trace any more.")
    tier: Tier = Field(description="Of the version you were shown, as your organization sees it.")
    own: bool = Field(description="Whether the trace, or the version, is yours.")


class CommandCheck(Record):
    """Whether to ask somebody before a command runs, and why."""

    verdict: Literal["ok", "ask"]
    reasons: list[str] = Field(default=[], description="In our own words, the gravest first; empty for ok.")
    matches: list[CommandMatch] = Field(default=[], description="Traces you were shown with it, newest first.")
    labels: list[Label] = Field(default=[], description="What the command would do, the gravest first.")
