"""Children: contexts of sub-agents, and what comes back of them."""

from typing import Any

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import CollapseResult, NewCollapse, NewSpawn, SpawnMode, SpawnResult


class AsyncAgents(AsyncBound):
    """Sub-agents; every method also takes `message`, `agent`, `expected_head` and `dry_run`."""

    async def spawn(self, name: str, mode: SpawnMode = "clone", **options: Any) -> SpawnResult:
        """Make a branch for a sub-agent; this working copy stays where it is.

        Args:
            name: the branch.
            mode: `clone` with the whole history, `head` with the window alone, `selected` with messages named by
                `slots` or found by `select`, `clean` with nothing.
            options: the other fields of `NewSpawn`.
        """
        return await self._write("spawn", "spawn", SpawnResult, NewSpawn.of(name=name, mode=mode, **options))

    async def collapse(self, source: str, text: str | None = None, **options: Any) -> CollapseResult:
        """Bring a sub-agent's work home: a summary stands for it, and `expand` shows what it stands for.

        Args:
            source: the sub-agent's branch, which stays.
            text: the summary; without it what the offline summarizer keeps.
            options: the other fields of `NewCollapse`.
        """
        body = NewCollapse.of(source=source, text=text, **options)
        return await self._write("collapse", "collapse", CollapseResult, body)
