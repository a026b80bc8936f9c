"""Messages into a repository: gathered one by one, stored by `commit`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from commontrace._sync.contexts.bound import Bound, Hooks
from commontrace._sync.http import Http
from commontrace.errors import InvalidInputError
from commontrace.models.contexts import BudgetPolicy, BudgetVerdict, CommitResult, NewCommit, NewPlan, PlanResult

Full = Callable[[BudgetVerdict], None]


class Writing(Bound):
    """Gathering messages with `user`, `assistant`, `system` and `add`, and storing them.

    Attributes:
        budget: the policy that every commit obeys: warn, reject, or compress down to its low mark in one undoable step.
        when_full: called with the verdict, once the window has passed the policy's high mark.
    """

    def __init__(self, http: Http, name: str, hooks: Hooks | None = None) -> None:
        super().__init__(http, name, hooks)
        self.budget: BudgetPolicy | None = None
        self.when_full: Full | None = None
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
        given = {"budget": self.budget, **options}
        wanted = NewCommit.of(messages=self._gathered, message=message, trace_ids=list(trace_ids), **given)
        result = self.store(wanted)
        self._gathered = []
        if result.budget and result.budget.verdict != "ok":
            self._make_room(result.budget)
        return result

    def _make_room(self, said: BudgetVerdict) -> None:
        if self.when_full:
            self.when_full(said)
        if said.target:
            # Where nothing more can be compressed the commit stands all the same; a window says what it needs.
            with suppress(InvalidInputError):
                self._write("plan", "plan", PlanResult, NewPlan.of(budget=said.target, apply=True))

    def store(self, commit: NewCommit) -> CommitResult:
        """Append messages to a branch; what was gathered stays gathered.

        Raises:
            RefMovedError: the branch moved meanwhile; nothing was written.
        """
        return self._write("commit", "commits", CommitResult, commit)
