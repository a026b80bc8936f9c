"""The tamper-evident log: checkpoints, proofs, and what an audit finds."""

from typing import Any, Literal

from pydantic import Field

from commontrace.models.base import Record

ProblemKind = Literal["changed", "missing", "unlogged", "broken"]


class SignedCheckpoint(Record):
    """How large the log is and what it comes to, signed."""

    size: int = Field(description="Leaves.")
    note: str = Field(description="A signed note: origin, size, root, signature.")
    verifier: str = Field(description="What the signature is checked with; keep the first one you see.")


class Inclusion(Record):
    """Proof that what is known of a trace is in the log."""

    leaf_index: int
    facts: dict[str, Any] = Field(description="What was logged; the leaf is the hash of its canonical JSON.")
    path: list[str] = Field(description="Hashes in hexadecimal, from the leaf to the root.")
    checkpoint: SignedCheckpoint


class Consistency(Record):
    """Proof that the log only grew since an older checkpoint."""

    before: int = Field(description="Leaves that the older one had.")
    path: list[str] = Field(description="Hashes in hexadecimal.")
    checkpoint: SignedCheckpoint


class LogProblem(Record):
    """A row that is not as it was logged, or a log that is not as it was."""

    kind: ProblemKind = Field(
        description="changed or missing: a row; unlogged: a row that nobody logged; broken: the log itself."
    )
    trace_id: str | None = None
    what: str


class LogAudit(Record):
    """What was looked at, and everything that is not as it was."""

    leaves: int
    traces: int
    problems: list[LogProblem] = []
    checkpoint: SignedCheckpoint
