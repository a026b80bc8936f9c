"""What a tool is handed: the operations of a concept, acting as whoever calls.

A dependency must not return the client itself: FastMCP would enter it, and close it after the call.
"""

from dataclasses import dataclass
from typing import Final

from fastmcp.server.dependencies import get_access_token, get_context

from commontrace import AsyncClient, AsyncContexts, AsyncTags, AsyncTraces
from commontrace.errors import NotFoundError
from commontrace.models.search import Query, QueryAnswer
from commontrace.models.votes import Vote, VoteResult
from commontrace.settings import Settings


def current_client() -> AsyncClient:
    """The server's client, acting as the caller where the transport knows one."""
    client: AsyncClient = get_context().lifespan_context["client"]
    token = get_access_token()
    return client.acting_as(token.token, working_copy=f"mcp:{token.client_id}") if token else client


def current_traces() -> AsyncTraces:
    """Traces, as the caller."""
    return current_client().traces


@dataclass(frozen=True, slots=True)
class Remotes:
    """Which remotes are asked beside the own store.

    Attributes:
        names: by name; None for every one.
        seconds: how long they may take.
    """

    names: tuple[str, ...] | None
    seconds: float = 2.0


ALONE: Final = Remotes(())
"""Nobody but the own store is asked."""


def remotes_of(settings: Settings) -> Remotes:
    """The remotes that the settings name."""
    named = tuple(name.strip() for name in settings.query_remotes.split(",") if name.strip())
    return Remotes(None if named == ("all",) else named, settings.remote_timeout)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who answers a query: the own store, and remotes where the settings name some."""

    client: AsyncClient
    remotes: Remotes

    async def query(self, wanted: Query) -> QueryAnswer:
        """One answer of all of them."""
        if self.remotes.names == ():
            return await self.client.traces.query(wanted)
        return await self.client.remotes.query(wanted, self.remotes.names, seconds=self.remotes.seconds)

    async def vote(self, trace_id: str, vote: Vote) -> tuple[str, VoteResult]:
        """Vote where the trace is, and say where: the own store has no name."""
        try:
            return "", await self.client.traces.vote(trace_id, vote.outcome, vote.note, evidence=vote.evidence)
        except NotFoundError:
            if self.remotes.names == ():
                raise
        return await self.client.remotes.vote_elsewhere(
            trace_id, vote, self.remotes.names, seconds=self.remotes.seconds
        )


def current_asking() -> Asking:
    """Who answers the caller; of others than the owner the own store alone, for remotes are the owner's."""
    remotes: Remotes = get_context().lifespan_context["remotes"]
    return Asking(current_client(), ALONE if get_access_token() else remotes)


def current_tags() -> AsyncTags:
    """Tags, as the caller."""
    return current_client().tags


def current_contexts() -> AsyncContexts:
    """Contexts, as the caller."""
    return current_client().contexts


def current_repository() -> str:
    """The context that is meant where none is named: the project's that the server runs in."""
    name: str = get_context().lifespan_context["repository"]
    return name
