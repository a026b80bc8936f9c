"""What every operation on one repository goes through: its address, and the hooks around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from commontrace._redacting import reported, sync_redacted
from commontrace._sync.http import Http

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as a hook sees it.

    Attributes:
        repository: the context's name.
        name: the method, such as `commit` or `merge`.
        writes: whether it changes anything.
        body: what is sent, if anything.
        answer: what came back; None before the operation.
    """

    repository: str
    name: str
    writes: bool
    body: BaseModel | bytes | None
    answer: Any = None


Hook = Callable[[Operation], None]


@dataclass(slots=True)
class Hooks:
    """Called around every operation. A hook before it that raises stops it, and nothing is written."""

    before: list[Hook] = field(default_factory=list)
    after: list[Hook] = field(default_factory=list)


class Bound:
    """A repository by name, on a connection."""

    def __init__(self, http: Http, name: str, hooks: Hooks | None = None) -> None:
        self.name = name
        self.hooks = hooks or Hooks()
        self._http = http

    def _read(self, operation: str, path: str, answer: type[T], **query: Any) -> T:
        return self._send(Operation(self.name, operation, writes=False, body=None), "GET", path, answer, query)

    def _list(self, operation: str, path: str, item: type[T], limit: int | None = None, **query: Any) -> list[T]:
        asked = Operation(self.name, operation, writes=False, body=None)
        return self._hooked(asked, lambda: self._http.listed(self._where(path), item, query=query, limit=limit))

    def _write(
        self, operation: str, path: str, answer: type[T], body: BaseModel | bytes | None = None, **query: Any
    ) -> T:
        method = "DELETE" if operation.startswith("delete") else "POST"
        safe = sync_redacted(body)
        done = Operation(self.name, operation, writes=True, body=safe)
        return reported(self._send(done, method, path, answer, query), safe)

    def _send(self, operation: Operation, method: str, path: str, answer: type[T], query: Mapping[str, Any]) -> T:
        return self._hooked(
            operation,
            lambda: self._http.call(method, self._where(path), answer, query=query, body=operation.body),
        )

    def _where(self, path: str) -> str:
        return "/".join(("/api/v1/contexts", quote(self.name, safe=""), quote(path, safe="/")))

    def _hooked(self, operation: Operation, ask: Callable[[], T]) -> T:
        for hook in self.hooks.before:
            hook(operation)
        found = ask()
        for hook in self.hooks.after:
            hook(Operation(operation.repository, operation.name, operation.writes, operation.body, answer=found))
        return found
