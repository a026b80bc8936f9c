"""Votes on the wire: an outcome is what happened to somebody who used a version."""

from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Body, Record
from commontrace.models.traces import Evidence, Standing

OutcomeKind = Literal["worked", "worked_with_changes", "did_not_work", "outdated", "unsafe"]
"""What happened. All but `worked` need a note."""


class Vote(Body):
    """An outcome to record; one per contributor and version, changeable."""

    outcome: OutcomeKind
    note: Annotated[str, Field(max_length=2_000)] = ""
    evidence: Evidence | None = None
    version_id: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="Default: the newest version this caller was shown."
    )


class VoteResult(Record):
    """The new standing of the version that was voted on."""

    trace_id: str
    version_id: str
    outcome: OutcomeKind
    changed: bool = Field(description="This replaced an earlier outcome of the same contributor.")
    self_report: bool = Field(description="On one's own trace: kept, and never moves tier or score.")
    standing: Standing
