"""What every model of the contract has in common."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """What a caller sends: an unknown field is a mistake and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Record(BaseModel):
    """What comes back: built from rows; a field that a newer server adds is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)
