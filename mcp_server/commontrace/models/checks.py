"""A shell command that is about to run, on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Body, Record
from commontrace.models.traces import Label, Tier


class NewCheck(Body):
    """A command to be looked at before it runs."""

    command: Annotated[str, Field(max_length=64_000, description="One or more lines of shell.")]


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
