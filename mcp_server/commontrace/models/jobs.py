"""The work that a store does by itself, on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Body, Record

JobStanding = Literal["resting", "waiting", "running", "dead"]
"""Where a job is: nothing to do, asked for, being done, or given up after its last try."""


class Job(Record):
    """One kind of work, and how it goes."""

    name: str
    does: str = Field(description="What it does, in a few words.")
    state: JobStanding
    tries: int = Field(default=0, description="How often it was begun since it last ended well.")
    reason: str = Field(default="", description="Why the last try failed.")
    failed_at: datetime | None = Field(default=None, description="When it was given up.")


class JobReport(Record):
    """Every kind of work, and who does it."""

    queue: Literal["process", "redis"] = Field(description="Each process for itself, or workers that share a queue.")
    jobs: list[Job]


class NewRetry(Body):
    """What is to be done now, whatever came of it before."""

    job: Annotated[str, Field(pattern="^[a-z]{2,20}$")] | None = Field(
        default=None, description="Its name; without one all that were given up."
    )
