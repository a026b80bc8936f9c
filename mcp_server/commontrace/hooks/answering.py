"""What the running server answers the hooks: one method a hook. Whatever fails, nothing is said."""

import json
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from commontrace.hooks import cold, wording
from commontrace.hooks.briefing import write_brief
from commontrace.hooks.failures import Failure, Ran, ran_of, redacted
from commontrace.hooks.notes import Fix, Notes
from commontrace.hooks.solving import Solved, Solving
from commontrace.models.search import Query

if TYPE_CHECKING:
    from commontrace import AsyncClient

_SHARES: Final = 0x1_0000_0000
_EDITS: Final = frozenset(("Edit", "Write", "MultiEdit", "NotebookEdit"))
_BAD: Final = frozenset(("quarantined", "superseded", "withdrawn"))
_WORTH_KEEPING: Final = 2
"""Times that a command must have failed before it is offered to keep what resolved it."""


class Answering:
    """Answers hooks with a client.

    Args:
        client: asks the backend.
        folder: where the hooks keep what they remember.
        holdout: the share of errors, 0 to 1, of which what is known is not shown but counted.
        drain: keeps the transcripts that wait for it.
    """

    def __init__(
        self, client: "AsyncClient", folder: str, *, holdout: float, drain: Callable[[], Awaitable[None]]
    ) -> None:
        self._client, self._notes = client, Notes(folder)
        self._holdout, self._drain = holdout, drain
        self._environments: dict[str, Any] = {}
        self._me = ""

    async def prepare(self, project: Path) -> None:
        """Import and read what the first answer needs: a hook waits less long than that takes."""
        ran = Ran("prepare it", "Error: nothing is known of this", failed=True)
        failure, _ = Solving().ran(redacted(ran))
        assert failure is not None
        await self._traced(failure, project)
        await self._before({"tool_name": "Bash", "tool_input": {"command": "prepare ./the checks"}})

    async def answer(self, name: str, event: bytes, patience: float) -> bytes:
        """What a hook prints; empty for what nothing is to be said of.

        Args:
            name: which hook asks.
            event: the event's JSON.
            patience: seconds that the hook waits: what comes later is not said, nor noted as said.

        Raises:
            ValueError: the event is no JSON.
            KeyError: it lacks what the hook needs.
        """
        until = time.monotonic() + patience
        said = json.loads(event.decode("utf-8", "replace"))
        if not isinstance(said, dict):
            raise TypeError("an event is an object")
        if name == "pre-tool-use":
            return await self._before(said)
        if name in {"post-tool-use", "post-tool-use-failure"}:
            return cold.context(str(said.get("hook_event_name")), await self._after(said, until))
        if name in {"pre-compact", "session-end"}:
            await self._drain()
        return b""

    async def _before(self, event: dict[str, Any]) -> bytes:
        """A question where the command that is about to run is worth one."""
        command = cold.command_of(event)
        if not command.strip():
            return b""
        from commontrace.safety.use_check import lookup_keys, risks_before_use, worth_asking

        keys = lookup_keys(command)
        reasons = worth_asking(risks_before_use(command))
        if keys and (found := await self._client.traces.check(command)).reasons:
            if any(not match.own for match in found.matches):
                with suppress(sqlite3.Error):  # the question is asked whether or not it can be remembered
                    for key in keys:
                        self._notes.keep_risky(key, found.reasons[0])
            reasons = found.reasons
        return cold.question(reasons)

    async def _after(self, event: dict[str, Any], until: float) -> str:
        """Follow the run: what failed, what was done, what passes again; and say what is known."""
        run = str(event["session_id"])
        project = cold.project_of(event)
        solving = Solving(self._notes.run_state(run))
        before = solving.state()
        ran = ran_of(event)
        failure, solved = (None, []) if ran is None else solving.ran(redacted(ran))
        if event.get("tool_name") in _EDITS and "error" not in event:
            self._edited(solving, event)
        if solving.state() != before:
            self._notes.keep_run(run, project, solving.state())
            write_brief(self._notes, project)
        for one in solved:
            fix = Fix(one.failure.fingerprint, one.failure.error, one.passed, one.failure.steps, 0)
            self._notes.keep_fix(project, fix)
        if failure and not self._notes.was_told(run, failure.fingerprint):
            text = await self._known(failure, project, Path(str(event["cwd"])))
            return self._told(failure, run, text) if text and time.monotonic() < until else ""
        return self._offered(solved, run)

    def _edited(self, solving: Solving, event: dict[str, Any]) -> None:
        from commontrace.hooks.edits import edit_of

        if solving.open and (edit := edit_of(event.get("tool_input"), str(event["cwd"]))):
            solving.edited(*edit)

    def _offered(self, solved: list[Solved], run: str) -> str:
        for one in solved:
            told = f"offer {one.failure.fingerprint}"
            if one.failure.times >= _WORTH_KEEPING and self._notes.tell(run, told):
                return wording.offer(one)
        return ""

    async def _known(self, failure: Failure, project: str, folder: Path) -> str:
        """What is known of an error: a trace that holds it, else what resolved it here the last time."""
        fix = None
        text = await self._traced(failure, folder)
        if not text:
            fix = self._notes.fix(project, failure.fingerprint)
        return wording.replayed(fix) if fix else text

    def _told(self, failure: Failure, run: str, text: str) -> str:
        """Say it once a run, or count that it was held back."""
        held = int(failure.fingerprint[:8], 16) / _SHARES < self._holdout
        self._notes.tell(run, failure.fingerprint)
        self._count(recognised=1, held_out=int(held), shown=int(not held), tokens=0 if held else wording.tokens(text))
        return "" if held else text

    def _count(self, **counted: int) -> None:
        with suppress(sqlite3.Error):
            self._notes.count(**counted)

    async def _traced(self, failure: Failure, folder: Path) -> str:
        """The words of the best trace that holds the very error, unless it mostly failed those who used it."""
        environment = self._environment(folder)
        wanted = Query(error=failure.text, exact=True, limit=1, detail="full", environment=environment)
        hits = (await self._client.traces.query(wanted)).hits
        if not hits or hits[0].body is None or hits[0].standing.tier in _BAD:
            return ""
        standing = hits[0].standing
        if standing.did_not_work + standing.outdated + standing.unsafe > standing.worked + standing.worked_with_changes:
            return ""
        self._me = self._me or (await self._client.contributors.me()).contributor_id
        return wording.known(hits[0], own=hits[0].contributor.contributor_id == self._me)

    def _environment(self, folder: Path) -> Any:
        """What a project's files say, read once."""
        from commontrace.environment import read_environment

        if str(folder) not in self._environments:
            self._environments[str(folder)] = read_environment(folder)
        return self._environments[str(folder)]
