"""Messages into a repository: gathered one by one, stored by `commit`."""

from collections.abc import Mapping, Sequence
from typing import Any

from commontrace._async.contexts.bound import AsyncBound, AsyncHooks
from commontrace._async.http import AsyncHttp
from commontrace.models.contexts import CommitResult, NewCommit


class AsyncWriting(AsyncBound):
    """Gathering messages with `user`, `assistant`, `system` and `add`, and storing them."""

    def __init__(self, http: AsyncHttp, name: str, hooks: AsyncHooks | None = None) -> None:
        super().__init__(http, name, hooks)
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

    async def commit(self, message: str = "", *, trace_ids: Sequence[str] = (), **options: Any) -> CommitResult:
        """Store what was gathered; if that fails it stays gathered. `options` are the other fields of `NewCommit`."""
        wanted = NewCommit.of(messages=self._gathered, message=message, trace_ids=list(trace_ids), **options)
        result = await self.store(wanted)
        self._gathered = []
        return result

    async def store(self, commit: NewCommit) -> CommitResult:
        """Append messages to a branch; what was gathered stays gathered.

        Raises:
            RefMovedError: the branch moved meanwhile; nothing was written.
        """
        return await self._write("commit", "commits", CommitResult, commit)
