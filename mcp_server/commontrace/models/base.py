"""What every model of the contract has in common."""

from functools import cache
from typing import Annotated, Any, Final, Generic, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from commontrace.models.wording import worded

T = TypeVar("T")

MOST_ITEMS: Final = 200
"""Items that a page may have."""

_WRONG: Final = object()
_MEANT: Final = (bool, int, float)


IdempotencyKey = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
"""What tells a second delivery of a request from another request: made up by who sends it."""


class Body(BaseModel):
    """What a caller sends: an unknown field is a mistake and is refused, and so is `"5"` or `true` for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _of_their_kind(cls, given: Any) -> Any:
        """Pydantic would take `false` for 0 and `"no"` for false, which the description of the API does not offer."""
        if not isinstance(given, dict):
            return given
        # Pydantic refuses what stands in for it in its own words, and names the field.
        wrong = {name: _WRONG for name, meant in _scalars(cls).items() if not _is_meant(given.get(name), meant)}
        return {**given, **wrong} if wrong else given

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """The same from what somebody else wrote; raises InvalidInputError that names the field that is wrong."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise worded(error) from error


def _is_meant(value: Any, meant: type) -> bool:
    if value is None:  # where it may be, pydantic knows
        return True
    return isinstance(value, bool) if meant is bool else isinstance(value, (int, float)) and not isinstance(value, bool)


@cache
def _scalars(model: type[Body]) -> dict[str, type]:
    """Which fields of a model are numbers and switches, and which of them."""
    kinds = {name: {field.annotation, *get_args(field.annotation)} for name, field in model.model_fields.items()}
    return {name: meant for name, found in kinds.items() for meant in _MEANT if meant in found}


class Repeatable(Body):
    """What may be sent again, as after an answer that got lost, without being done again."""

    idempotency_key: IdempotencyKey | None = Field(
        default=None, description="Sent again with the same content, it answers as the first time and changes nothing."
    )


class Record(BaseModel):
    """What comes back: built from rows; a field that a newer server adds is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)


class Page(Record, Generic[T]):
    """Some items of a list; `next_cursor` is where the next page begins, None where there is none."""

    items: list[T]
    next_cursor: str | None = None
