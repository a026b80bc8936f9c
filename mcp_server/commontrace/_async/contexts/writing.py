"""Messages into a repository: gathered one by one, stored by `commit`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from commontrace._async.contexts.bound import AsyncBound, AsyncHooks
from commontrace._async.http import AsyncHttp
from commontrace.errors import InvalidInputError
from commontrace.models.contexts import BudgetPolicy, BudgetVerdict, CommitResult, NewCommit, NewPlan, PlanResult

AsyncFull = Callable[[BudgetVerdict], Awaitable[None]]


class AsyncWriting(AsyncBound):
    """Gathering messages with `user`, `assistant`, `system` and `add`, and storing them.

    Attributes:
        budget: the policy that every commit obeys: warn, reject, or compress down to its low mark in one undoable step.
        when_full: called with the verdict, once the window has passed the policy's high mark.
    """

    def __init__(self, http: AsyncHttp, name: str, hooks: AsyncHooks | None = None) -> None:
        super().__init__(http, name, hooks)
        self.budget: BudgetPolicy | None = None
        self.when_full: AsyncFull | None = None
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
        given = {"budget": self.budget, **options}
        wanted = NewCommit.of(messages=self._gathered, message=message, trace_ids=list(trace_ids), **given)
        result = await self.store(wanted)
        self._gathered = []
        if result.budget and result.budget.verdict != "ok":
            await self._make_room(result.budget)
        return result

    async def _make_room(self, said: BudgetVerdict) -> None:
        if self.when_full:
            await self.when_full(said)
        if said.target:
            # Where nothing more can be compressed the commit stands all the same; a window says what it needs.
            with suppress(InvalidInputError):
                await self._write("plan", "plan", PlanResult, NewPlan.of(budget=said.target, apply=True))

    async def store(self, commit: NewCommit) -> CommitResult:
        """Append messages to a branch; what was gathered stays gathered.

        Raises:
            RefMovedError: the branch moved meanwhile; nothing was written.
        """
        return await self._write("commit", "commits", CommitResult, commit)
