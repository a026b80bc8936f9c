"""Contexts: one method per operation, and a handle for those who work in one repository."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from commontrace._sync.http import Http
from commontrace.models.contexts import (
    BranchInfo,
    CommitInfo,
    CommitResult,
    ContextDiff,
    ContextStatus,
    LogPage,
    MergeResult,
    NewBranch,
    NewCommit,
    NewMerge,
    NewTag,
    OperationInfo,
    RepositoryInfo,
    SwitchTo,
    TagInfo,
    Window,
    WindowFormat,
)


def _at(repository: str, *rest: str) -> str:
    return "/".join(("/api/v1/contexts", *(quote(part, safe="/") for part in (repository, *rest))))


class Contexts:
    """Versioned context windows: `client.contexts`. Every method raises the errors of `commontrace.errors`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def open(self, repository: str) -> "ContextRepository":
        """A handle for one repository; it is created by its first commit."""
        return ContextRepository(self, repository)

    def repositories(self) -> list[RepositoryInfo]:
        """Every context the caller may see."""
        return self._http.call("GET", "/api/v1/contexts", list[RepositoryInfo])

    def commit(self, repository: str, commit: NewCommit) -> CommitResult:
        """Append messages to a branch.

        Raises:
            RefMovedError: the branch moved meanwhile; nothing was written.
        """
        return self._http.call("POST", _at(repository, "commits"), CommitResult, body=commit)

    def get(self, repository: str, ref: str = "HEAD") -> CommitInfo:
        """One commit by branch, tag, id or expression such as `HEAD~2`."""
        return self._http.call("GET", _at(repository, "commits", ref), CommitInfo)

    def log(self, repository: str, ref: str = "HEAD", *, limit: int = 50, grep: str = "") -> LogPage:
        """Commits from a ref backwards, newest first; with `grep` those whose words contain it."""
        query = {"ref": ref, "limit": limit, "grep": grep}
        return self._http.call("GET", _at(repository, "log"), LogPage, query=query)

    def window(
        self,
        repository: str,
        ref: str = "HEAD",
        *,
        max_tokens: int | None = None,
        format: WindowFormat = "text",  # noqa: A002 - the word for it
        explain: bool = False,
    ) -> Window:
        """The messages at a ref that fit a budget of tokens, in the shape that a provider takes."""
        query = {"ref": ref, "max_tokens": max_tokens, "format": format, "explain": explain}
        return self._http.call("GET", _at(repository, "window"), Window, query=query)

    def diff(self, repository: str, a: str, b: str = "HEAD") -> ContextDiff:
        """What changes from the window at `a` to the one at `b`."""
        return self._http.call("GET", _at(repository, "diff"), ContextDiff, query={"a": a, "b": b})

    def status(self, repository: str) -> ContextStatus:
        """Where writing goes on, and what the window there comes to."""
        return self._http.call("GET", _at(repository, "status"), ContextStatus)

    def branches(self, repository: str) -> list[BranchInfo]:
        """Every branch."""
        return self._http.call("GET", _at(repository, "branches"), list[BranchInfo])

    def create_branch(self, repository: str, name: str, from_ref: str = "HEAD", *, switch: bool = False) -> BranchInfo:
        """Create a branch, and with `switch` go on there."""
        body = NewBranch(name=name, from_ref=from_ref, switch=switch)
        return self._http.call("POST", _at(repository, "branches"), BranchInfo, body=body)

    def delete_branch(self, repository: str, name: str, *, force: bool = False) -> BranchInfo:
        """Delete a branch; undo brings it back."""
        return self._http.call("DELETE", _at(repository, "branches", name), BranchInfo, query={"force": force})

    def switch(self, repository: str, branch: str) -> BranchInfo:
        """Put this client's working copy on a branch; nobody else's moves."""
        return self._http.call("POST", _at(repository, "switch"), BranchInfo, body=SwitchTo(branch=branch))

    def tags(self, repository: str) -> list[TagInfo]:
        """Every tag."""
        return self._http.call("GET", _at(repository, "tags"), list[TagInfo])

    def create_tag(self, repository: str, name: str, ref: str = "HEAD") -> TagInfo:
        """Give a commit a fixed name."""
        return self._http.call("POST", _at(repository, "tags"), TagInfo, body=NewTag(name=name, ref=ref))

    def delete_tag(self, repository: str, name: str) -> TagInfo:
        """Take a tag away; undo brings it back."""
        return self._http.call("DELETE", _at(repository, "tags", name), TagInfo)

    def merge(self, repository: str, source: str, *, message: str = "", dry_run: bool = False) -> MergeResult:
        """Bring another history into the current branch; with `dry_run` only say what would happen."""
        body = NewMerge(source=source, message=message, dry_run=dry_run)
        return self._http.call("POST", _at(repository, "merge"), MergeResult, body=body)

    def undo(self, repository: str) -> OperationInfo:
        """Take back the newest operation of this working copy."""
        return self._http.call("POST", _at(repository, "undo"), OperationInfo)

    def redo(self, repository: str) -> OperationInfo:
        """Do again what undo took back last."""
        return self._http.call("POST", _at(repository, "redo"), OperationInfo)

    def operations(self, repository: str, limit: int = 50) -> list[OperationInfo]:
        """The operation log, newest first."""
        query = {"limit": limit}
        return self._http.call("GET", _at(repository, "operations"), list[OperationInfo], query=query)

    def commits_of_trace(self, trace_id: str) -> list[CommitInfo]:
        """Commits that used or produced a trace."""
        return self._http.call("GET", f"/api/v1/traces/{trace_id}/commits", list[CommitInfo])


class ContextRepository:
    """One repository. Messages are gathered with `user`, `assistant`, `system` and `add`, and stored by `commit`."""

    def __init__(self, contexts: Contexts, name: str) -> None:
        self.name = name
        self._contexts = contexts
        self._gathered: list[dict[str, Any]] = []

    def user(self, text: str) -> None:
        """Gather a message of the user."""
        self.add({"role": "user", "content": text})

    def assistant(self, text: str) -> None:
        """Gather a message of the assistant."""
        self.add({"role": "assistant", "content": text})

    def system(self, text: str) -> None:
        """Gather an instruction."""
        self.add({"role": "system", "content": text})

    def add(self, message: Mapping[str, Any]) -> None:
        """Gather a message in the OpenAI or Anthropic shape."""
        self._gathered.append(dict(message))

    def commit(self, message: str = "", *, trace_ids: Sequence[str] = (), **options: Any) -> CommitResult:
        """Store what was gathered; if that fails it stays gathered. `options` are the other fields of `NewCommit`."""
        wanted = NewCommit(messages=self._gathered, message=message, trace_ids=list(trace_ids), **options)
        result = self._contexts.commit(self.name, wanted)
        self._gathered = []
        return result

    def window(
        self,
        ref: str = "HEAD",
        *,
        max_tokens: int | None = None,
        format: WindowFormat = "text",  # noqa: A002 - the word for it
        explain: bool = False,
    ) -> Window:
        """The messages at a ref that fit a budget of tokens."""
        return self._contexts.window(self.name, ref, max_tokens=max_tokens, format=format, explain=explain)

    def log(self, ref: str = "HEAD", *, limit: int = 50, grep: str = "") -> LogPage:
        """Commits from a ref backwards, newest first."""
        return self._contexts.log(self.name, ref, limit=limit, grep=grep)

    def diff(self, a: str, b: str = "HEAD") -> ContextDiff:
        """What changes from the window at `a` to the one at `b`."""
        return self._contexts.diff(self.name, a, b)

    def status(self) -> ContextStatus:
        """Where writing goes on."""
        return self._contexts.status(self.name)

    def branch(self, name: str, from_ref: str = "HEAD", *, switch: bool = True) -> BranchInfo:
        """Create a branch and go on there."""
        return self._contexts.create_branch(self.name, name, from_ref, switch=switch)

    def branches(self) -> list[BranchInfo]:
        """Every branch."""
        return self._contexts.branches(self.name)

    def switch(self, branch: str) -> BranchInfo:
        """Go on with another branch."""
        return self._contexts.switch(self.name, branch)

    def merge(self, source: str, *, message: str = "", dry_run: bool = False) -> MergeResult:
        """Bring another history into the current branch."""
        return self._contexts.merge(self.name, source, message=message, dry_run=dry_run)

    def tag(self, name: str, ref: str = "HEAD") -> TagInfo:
        """Give a commit a fixed name."""
        return self._contexts.create_tag(self.name, name, ref)

    def undo(self) -> OperationInfo:
        """Take back the newest operation of this working copy."""
        return self._contexts.undo(self.name)

    def redo(self) -> OperationInfo:
        """Do again what undo took back last."""
        return self._contexts.redo(self.name)
