"""Contributors, organizations and API keys on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from commontrace.models.base import Body, Record

Scope = Literal["read", "contribute", "vote", "admin"]
"""What an API key allows."""

PublicationPolicy = Literal["direct", "after approval", "drafts only"]
"""What becomes of what a key wants others to see: shown at once, once an admin has approved it, or never."""

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


class TagReputation(Record):
    """How well somebody's versions under one tag have worked for others."""

    tag: str = Field(description="Empty: all of them together.")
    audience: Literal["team", "public"] = Field(
        description="Who was counted: colleagues, whom the organization alone sees, or other organizations."
    )
    positive: int
    voices: int = Field(description="Colleagues, or organizations, once for each version.")
    score: float = Field(description="Lower bound of Wilson's score interval (z = 1.96): 0 to 1.")


class Reputation(Record):
    """Somebody's reputation as far as the caller may know it, best tag first; at most a hundred."""

    contributor_id: str
    counted_at: datetime | None = Field(default=None, description="None: nothing was counted yet.")
    tags: list[TagReputation]


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
    publication: PublicationPolicy = "direct"


class NewToken(Body):
    """A token to be had for the key of the request."""

    scopes: Annotated[list[Scope], Field(min_length=1)] | None = Field(
        default=None, description="Of those that the key has; default: all but admin."
    )
    minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15


class Token(Record):
    """A token at the only moment it is shown; it stands for its key until it expires or its key ends."""

    token: str
    token_id: str
    key_id: str
    scopes: list[Scope]
    expires_at: datetime


class NewIdentity(NewApiKey):
    """Somebody whom an identity provider vouches for, to act as a contributor, who is made if the name is new."""

    issuer: Annotated[str, Field(pattern=r"^https?://[\x21-\x7e]{1,190}$")] = Field(
        description="The provider's URL, as in `iss` of its tokens."
    )
    subject: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,255}$")] = Field(
        description="Whom its tokens are about, as in `sub`."
    )


class Rotation(Body):
    """How long a key and the one that takes its place are both good."""

    overlap_hours: Annotated[float, Field(ge=0, le=24 * 90)] = 24


class Revocation(Body):
    """Whose keys are revoked together: exactly one of these."""

    contributor: Label | None = Field(default=None, description="A contributor's name or id.")
    organization: Label | None = Field(default=None, description="Everybody of an organization.")
    lineage: Label | None = Field(
        default=None, description="A contributor's name or id: theirs, and those of everybody they led to by keys."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set & {"contributor", "organization", "lineage"}) != 1:
            raise ValueError("give exactly one of contributor, organization and lineage")
        return self


class Revoked(Record):
    """Which keys were revoked; none twice."""

    key_ids: list[str]


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
    publication: PublicationPolicy = "direct"
    replaces: str | None = Field(default=None, description="The key that this one was rotated in for.")
    issuer: str | None = Field(default=None, description="Of an identity: the provider whose tokens prove it.")
    subject: str | None = Field(default=None, description="Of an identity: whom those tokens are about.")


class CreatedApiKey(ApiKey):
    """A key at the only moment its secret is shown."""

    key: str
