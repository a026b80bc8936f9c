"""What every model of the contract has in common."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from commontrace.models.wording import worded


class Body(BaseModel):
    """What a caller sends: an unknown field is a mistake and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """The same from what somebody else wrote; raises InvalidInputError that names the field that is wrong."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise worded(error) from error


class Record(BaseModel):
    """What comes back: built from rows; a field that a newer server adds is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)
