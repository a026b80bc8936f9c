"""What every operation on one repository goes through: its address, and the hooks around it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from commontrace._async.http import AsyncHttp
from commontrace._redacting import async_redacted, reported

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AsyncOperation:
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


AsyncHook = Callable[[AsyncOperation], Awaitable[None]]


@dataclass(slots=True)
class AsyncHooks:
    """Called around every operation. A hook before it that raises stops it, and nothing is written."""

    before: list[AsyncHook] = field(default_factory=list)
    after: list[AsyncHook] = field(default_factory=list)


class AsyncBound:
    """A repository by name, on a connection."""

    def __init__(self, http: AsyncHttp, name: str, hooks: AsyncHooks | None = None) -> None:
        self.name = name
        self.hooks = hooks or AsyncHooks()
        self._http = http

    async def _read(self, operation: str, path: str, answer: type[T], **query: Any) -> T:
        return await self._send(
            AsyncOperation(self.name, operation, writes=False, body=None), "GET", path, answer, query
        )

    async def _list(self, operation: str, path: str, item: type[T], limit: int | None = None, **query: Any) -> list[T]:
        asked = AsyncOperation(self.name, operation, writes=False, body=None)
        return await self._hooked(asked, lambda: self._http.listed(self._where(path), item, query=query, limit=limit))

    async def _write(
        self, operation: str, path: str, answer: type[T], body: BaseModel | bytes | None = None, **query: Any
    ) -> T:
        method = "DELETE" if operation.startswith("delete") else "POST"
        safe = await async_redacted(body)
        done = AsyncOperation(self.name, operation, writes=True, body=safe)
        return reported(await self._send(done, method, path, answer, query), safe)

    async def _send(
        self, operation: AsyncOperation, method: str, path: str, answer: type[T], query: Mapping[str, Any]
    ) -> T:
        return await self._hooked(
            operation,
            lambda: self._http.call(method, self._where(path), answer, query=query, body=operation.body),
        )

    def _where(self, path: str) -> str:
        return "/".join(("/api/v1/contexts", quote(self.name, safe=""), quote(path, safe="/")))

    async def _hooked(self, operation: AsyncOperation, ask: Callable[[], Awaitable[T]]) -> T:
        for hook in self.hooks.before:
            await hook(operation)
        found = await ask()
        for hook in self.hooks.after:
            await hook(
                AsyncOperation(operation.repository, operation.name, operation.writes, operation.body, answer=found)
            )
        return found
