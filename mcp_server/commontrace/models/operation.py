"""What is done next to the data: backups, migrations and repairs, as their commands report them."""

from typing import Literal

from pydantic import Field

from commontrace.models.base import Record


class BackupReport(Record):
    """A backup that was made, or that was restored."""

    file: str
    schema_number: int = Field(description="The schema of the store that it was taken from.")
    engine: Literal["sqlite", "postgresql"] = Field(description="The database that it was taken from.")
    created_at: str
    rows: dict[str, int] = Field(description="How many rows it holds, by table.")
    bytes: int = Field(description="Of the file.")


class MigrationReport(Record):
    """Which schema a store had and has; they are equal where nothing was to do."""

    found: int = Field(description="0 where there was no store yet.")
    schema_number: int = Field(description="The schema that it has now; with --check, the one that it should have.")

    @property
    def needed(self) -> bool:
        """Whether the store was older."""
        return self.found < self.schema_number


class Fault(Record):
    """Something in a store, or of what its servers share, that is not as it should be."""

    part: Literal["file", "words", "vectors", "redis"]
    what: str
    repairable: bool = Field(description="Whether `commontrace doctor --repair` makes it anew from rows.")
    hint: str = Field(description="The next step.")


class Examination(Record):
    """What was found in a store, and whether it was repaired."""

    faults: list[Fault]
    repaired: bool = False
    pending: int = Field(default=0, description="Traces whose words or vectors are yet to be made, which is no fault.")
