"""A store that is screened again, on the wire."""

from pydantic import Field

from commontrace.models.base import Record


class Leak(Record):
    """A stored version that holds what the rules of today would have redacted."""

    trace_id: str
    version_id: str
    types: list[str] = Field(description="What it holds: secret:* and pii:*.")


class RescanState(Record):
    """How far a store has been screened with the rules of today."""

    rules: str = Field(description="The version of the rules.")
    versions: int = Field(description="How many versions of traces are stored.")
    screened: int = Field(description="How many of them these rules have seen.")
    leaks: list[Leak] = Field(default=[], description="What leaks in your organization; hidden until it is purged.")

    @property
    def done(self) -> bool:
        """Whether nothing is left to screen."""
        return self.screened >= self.versions
