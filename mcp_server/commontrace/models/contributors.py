"""Contributors, organizations and API keys on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Body, Record

Scope = Literal["read", "contribute", "vote", "admin"]
"""What an API key allows."""

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,99}$")]


class ContributorRef(Record):
    """Who acted, as others see it."""

    contributor_id: str
    name: str


class Contributor(Record):
    """The caller, as the backend knows it."""

    contributor_id: str
    name: str
    organization_id: str
    organization_name: str
    scopes: list[Scope]


class NewApiKey(Body):
    """A key to create, for a contributor who is made if the name is new."""

    contributor: Label
    organization: Label | None = Field(default=None, description="Default: the caller's own organization.")
    stranger: bool = Field(
        default=False,
        description="A new organization that yours does not vouch for, as where people sign up themselves.",
    )
    scopes: Annotated[list[Scope], Field(min_length=1)] = ["read", "contribute", "vote"]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class ApiKey(Record):
    """A key as it is kept: never the secret."""

    key_id: str
    contributor: ContributorRef
    organization_name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class CreatedApiKey(ApiKey):
    """A key at the only moment its secret is shown."""

    key: str
