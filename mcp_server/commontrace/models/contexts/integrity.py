"""Whether a repository is sound, what of it nothing needs, and what is to leave no trace."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Body, Record
from commontrace.models.contexts.common import RefText, SlotId

ProblemKind = Literal["store", "commit", "blob", "ref", "operation", "call", "window", "link"]


class IntegrityProblem(Record):
    """Something that is not as it was written."""

    kind: ProblemKind
    name: str = Field(description="The id of the object, the name of the ref or the number of the row.")
    detail: str
    hint: str = Field(description="What to do about it.")


class VerifyResult(Record):
    """What a check of everything that is stored found."""

    repository: str
    sound: bool
    full: bool = Field(description="Whether every window was made anew, or only some.")
    commits: int
    blobs: int
    refs: int
    operations: int
    calls: int
    windows: int = Field(description="Windows that were made anew to compare their totals.")
    purged: int = Field(description="Objects that a purge replaced, which is no problem.")
    problems: list[IntegrityProblem] = Field(default=[], description="At most 1,000.")


class NewCollection(Body):
    """What of a repository may go: what nothing needs and what is older than the grace."""

    dry_run: bool = False
    grace_days: Annotated[float, Field(ge=0, le=36_500, allow_inf_nan=False)] = 30


class StoreSize(Record):
    """What a repository takes up."""

    commits: int
    blobs: int
    bytes: int = Field(description="Of its commits and blobs, without the database's own.")
    bytes_per_message: float
    store_bytes: int = Field(description="Of the whole store, with all its repositories and indexes.")


class CollectResult(Record):
    """What was collected, or would be."""

    repository: str
    commits: int
    blobs: int
    bytes: int
    kept_young: int = Field(description="Commits that nothing needs and that are younger than the grace.")
    compacted: bool = Field(description="Whether the database gave the space back.")
    size: StoreSize = Field(description="Afterwards.")


class NewPurge(Body):
    """What is to leave no trace: every message and note with a text, a message, or what a blob holds."""

    text: Annotated[str, Field(min_length=4, max_length=100_000)] | None = None
    slot: SlotId | None = None
    blob: Annotated[str, Field(pattern=r"^[0-9a-f]{4,64}$")] | None = None
    ref: RefText = Field(default="HEAD", description="Where the slot is looked for.")
    reason: Annotated[str, Field(max_length=200)] = ""


class PurgeResult(Record):
    """What was purged."""

    repository: str
    blobs: list[str] = Field(description="Messages whose text is gone; the ids stay.")
    commits: list[str] = Field(description="Commits of which words are gone; the ids stay.")
    operations: int = Field(description="Entries of the operation log of which words are gone.")
    erased: bool = Field(description="Whether the files were written anew; if not, purge again when others are done.")
    left: list[str] = Field(default=[], description="Where the text may still be, and what to do there.")


class Purged(Record):
    """That an object was purged: who did it, when, why, and how large it was."""

    at: datetime
    by: str = Field(description="The contributor's id.")
    reason: str
    size: int = Field(description="Bytes.")
