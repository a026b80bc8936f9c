"""Contexts: which there are, and a handle for each with one method per operation."""

from commontrace._sync.contexts.agents import Agents
from commontrace._sync.contexts.audit import Audit
from commontrace._sync.contexts.bound import Bound, Hook, Hooks, Operation
from commontrace._sync.contexts.branches import Branches
from commontrace._sync.contexts.calls import Calls
from commontrace._sync.contexts.compressing import Compressing
from commontrace._sync.contexts.editing import Editing
from commontrace._sync.contexts.history import History
from commontrace._sync.contexts.interchange import Interchange
from commontrace._sync.contexts.merging import Merging
from commontrace._sync.contexts.operations import Operations
from commontrace._sync.contexts.rewriting import Rewriting
from commontrace._sync.contexts.syncing import Syncing
from commontrace._sync.contexts.windows import Windows
from commontrace._sync.contexts.writing import Writing
from commontrace._sync.http import Http
from commontrace.models.contexts import CommitInfo, NewRepository, RepositoryInfo

__all__ = ["Bound", "ContextRepository", "Contexts", "Hook", "Hooks", "Operation"]


class ContextRepository(
    Writing,
    History,
    Windows,
    Branches,
    Editing,
    Merging,
    Rewriting,
    Compressing,
    Agents,
    Operations,
    Interchange,
    Audit,
    Calls,
    Syncing,
):
    """One repository: `client.contexts.open("my-agent")`. Every method raises the errors of `commontrace.errors`."""


class Contexts:
    """Versioned context windows: `client.contexts`.

    Attributes:
        hooks: called before and after every operation of every repository that is opened here.
    """

    def __init__(self, http: Http) -> None:
        self.hooks = Hooks()
        self._http = http

    def open(self, repository: str) -> ContextRepository:
        """A handle for one repository; it is created by its first commit."""
        return ContextRepository(self._http, repository, self.hooks)

    def create(self, repository: str) -> RepositoryInfo:
        """Create a repository before its first commit; one that is there already stays as it is."""
        body = NewRepository.of(name=repository)
        return self._http.call("POST", "/api/v1/contexts", RepositoryInfo, body=body)

    def repositories(self, limit: int | None = None) -> list[RepositoryInfo]:
        """Every context the caller may see, by name, or the first `limit`."""
        return self._http.listed("/api/v1/contexts", RepositoryInfo, limit=limit)

    def commits_of_trace(self, trace_id: str, limit: int | None = None) -> list[CommitInfo]:
        """Commits that used or produced a trace, those with the longest history first; or the first `limit`."""
        return self._http.listed(f"/api/v1/traces/{trace_id}/commits", CommitInfo, limit=limit)
