"""Who a request comes from, as every service sees it."""

from dataclasses import dataclass, field
from typing import Literal

Scope = Literal["read", "contribute", "vote", "admin"]
PublicationPolicy = Literal["direct", "after approval", "drafts only"]
Proof = Literal["none", "key", "token", "identity"]
"""What a request came with: nothing, a key, a token that stands for a key, or one of an identity provider."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The contributor behind a request; taken from its key, never from an argument.

    Attributes:
        contributor_id: who acts.
        contributor_name: how the person or agent is shown.
        tenant_id: the organization whose rows this caller may see.
        lineage_id: the root of the invitations that led here; votes of one lineage count as one in public.
        scopes: what the key allows.
        working_copy: whose HEAD moves: an agent's run or a terminal's folder.
        key_id: the key of the request; empty for the owner of a local store. What one sees does not depend on it.
        publication: what becomes of what this key wants others to see.
        proof: what the request came with.
    """

    contributor_id: str
    contributor_name: str
    tenant_id: str
    lineage_id: str
    scopes: frozenset[Scope]
    working_copy: str = "default"
    key_id: str = field(default="", compare=False)
    publication: PublicationPolicy = field(default="direct", compare=False)
    proof: Proof = field(default="none", compare=False)
