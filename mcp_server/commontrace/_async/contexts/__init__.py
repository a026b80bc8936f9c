"""Contexts: which there are, and a handle for each with one method per operation."""

from commontrace._async.contexts.agents import AsyncAgents
from commontrace._async.contexts.audit import AsyncAudit
from commontrace._async.contexts.bound import AsyncBound, AsyncHook, AsyncHooks, AsyncOperation
from commontrace._async.contexts.branches import AsyncBranches
from commontrace._async.contexts.calls import AsyncCalls
from commontrace._async.contexts.compressing import AsyncCompressing
from commontrace._async.contexts.editing import AsyncEditing
from commontrace._async.contexts.history import AsyncHistory
from commontrace._async.contexts.interchange import AsyncInterchange
from commontrace._async.contexts.merging import AsyncMerging
from commontrace._async.contexts.operations import AsyncOperations
from commontrace._async.contexts.rewriting import AsyncRewriting
from commontrace._async.contexts.syncing import AsyncSyncing
from commontrace._async.contexts.windows import AsyncWindows
from commontrace._async.contexts.writing import AsyncWriting
from commontrace._async.http import AsyncHttp
from commontrace.models.contexts import CommitInfo, NewRepository, RepositoryInfo

__all__ = ["AsyncBound", "AsyncContextRepository", "AsyncContexts", "AsyncHook", "AsyncHooks", "AsyncOperation"]


class AsyncContextRepository(
    AsyncWriting,
    AsyncHistory,
    AsyncWindows,
    AsyncBranches,
    AsyncEditing,
    AsyncMerging,
    AsyncRewriting,
    AsyncCompressing,
    AsyncAgents,
    AsyncOperations,
    AsyncInterchange,
    AsyncAudit,
    AsyncCalls,
    AsyncSyncing,
):
    """One repository: `client.contexts.open("my-agent")`. Every method raises the errors of `commontrace.errors`."""


class AsyncContexts:
    """Versioned context windows: `client.contexts`.

    Attributes:
        hooks: called before and after every operation of every repository that is opened here.
    """

    def __init__(self, http: AsyncHttp) -> None:
        self.hooks = AsyncHooks()
        self._http = http

    def open(self, repository: str) -> AsyncContextRepository:
        """A handle for one repository; it is created by its first commit."""
        return AsyncContextRepository(self._http, repository, self.hooks)

    async def create(self, repository: str) -> RepositoryInfo:
        """Create a repository before its first commit; one that is there already stays as it is."""
        body = NewRepository.of(name=repository)
        return await self._http.call("POST", "/api/v1/contexts", RepositoryInfo, body=body)

    async def repositories(self, limit: int | None = None) -> list[RepositoryInfo]:
        """Every context the caller may see, by name, or the first `limit`."""
        return await self._http.listed("/api/v1/contexts", RepositoryInfo, limit=limit)

    async def commits_of_trace(self, trace_id: str, limit: int | None = None) -> list[CommitInfo]:
        """Commits that used or produced a trace, those with the longest history first; or the first `limit`."""
        return await self._http.listed(f"/api/v1/traces/{trace_id}/commits", CommitInfo, limit=limit)
