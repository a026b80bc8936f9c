"""Stories: random deeds one after another, with everything that must hold after each of them."""

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any

from commontrace.errors import BackendError, CommonTraceError
from commontrace.models.contexts import Window
from commontrace.objects import Commit
from commontrace_backend.contexts.state import replay
from commontrace_backend.contexts.states import MEMORY
from commontrace_backend.contexts.view import View
from deeds import DEEDS, Desk
from demands import assert_anthropic, assert_gemini, assert_openai, assert_responses

TRIED_FIRST = frozenset(
    {"edit", "annotate", "remove", "restore", "move", "compress", "expand", "plan", "merge", "resolve"}
    | {"cherry_pick", "revert", "rebase", "reset", "apply", "spawn", "collapse"}
)
MOVES_OTHERS = frozenset({"branch", "delete_branch", "spawn", "undo", "redo"})
KEEPS_PINNED = frozenset({"say", "work", "compress", "plan", "note", "pin", "edit", "move"})
_ID = re.compile(r"\b[0-9a-f]{10,64}\b")
_UNLIKE = frozenset({"created_at", "author", "author_name", "contributor", "working_copy", "operation_id"})

Refs = Mapping[str, Any]


class Story(Desk):
    """A repository that random work is done on, and checked.

    Attributes:
        told: every deed with what came of it, ids named in order of appearance.
        done: which deeds succeeded, in order.
    """

    def __init__(self, client: Any, name: str, random: Random) -> None:
        super().__init__(client.contexts.open(name), random)
        self.told: list[str] = []
        self.done: list[str] = []
        self._seen: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._stands: Refs = {}

    async def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """What changes something is now and then tried out first: that must write nothing, and come true."""
        if method not in TRIED_FIRST or "dry_run" in options or self.random.random() < 0.6:
            return await super().ask(method, *arguments, **options)
        before = await self.refs()
        predicted = await self._attempt(method, *arguments, dry_run=True, **options)
        assert await self.refs() == before, f"trying out {method} wrote something"
        answer = await self._attempt(method, *arguments, **options)
        assert gist(predicted) == gist(answer), f"{method} came to something else than was said"
        if isinstance(answer, CommonTraceError):
            raise answer
        return answer

    async def _attempt(self, method: str, *arguments: Any, **options: Any) -> Any:
        """What comes of it, be it an error."""
        try:
            return await super().ask(method, *arguments, **options)
        except CommonTraceError as error:
            return error

    async def refs(self) -> Refs:
        """Every ref, where HEAD is, and the newest operation."""
        try:
            branches = await Desk.ask(self, "branches")
        except CommonTraceError:
            return {}
        tags, labels = await Desk.ask(self, "tags"), await Desk.ask(self, "labels")
        newest = await Desk.ask(self, "operations", limit=1)
        return {
            "branches": {one.name: one.commit_id for one in branches},
            "current": next(one.name for one in branches if one.current),
            "tags": {one.name: one.commit_id for one in tags},
            "labels": {(one.name, one.commit_id) for one in labels},
            "newest": newest[0].operation_id if newest else 0,
        }

    async def step(self, name: str) -> None:
        """Do something, and check everything."""
        before, shown = self._stands, self.window
        answer = await self._do(name)
        after = self._stands = await self.refs()
        if isinstance(answer, CommonTraceError):
            assert not isinstance(answer, BackendError), f"{name}: {answer!r}"
            assert answer.hint, f"{name}: {answer!r} says no way out"
            assert after == before, f"{name} failed and wrote something"
        else:
            self.done.append(name)
        await self.look()
        self._tell(name, answer)
        await self._check_window()
        self._check_others(name, before, after)
        if name in KEEPS_PINNED and shown and self.window and self.done[-1:] == [name]:
            self._check_pinned(shown, self.window)
        await self._check_undo(name, before, after, shown)
        await self._check_seen()

    async def _do(self, name: str) -> Any:
        try:
            return await DEEDS[name](self)
        except CommonTraceError as error:
            return error

    async def _check_window(self) -> None:
        """The window of HEAD is valid for every provider, and its counts agree."""
        window = self.window
        if window is None:
            return
        assert window.tokens.tokens == sum(one.tokens for one in window.explanation)
        assert window.included == len(window.explanation) == len(window.messages or [])
        commit = await Desk.ask(self, "get")
        assert commit.tokens == window.tokens.tokens, "the commit's sum is not that of its window"
        assert_openai(window.to_openai())
        assert_anthropic(window.to_anthropic()["messages"])
        assert_responses(window.to_responses())
        assert_gemini(window.to_gemini())

    def _check_others(self, name: str, before: Refs, after: Refs) -> None:
        """No other branch moved."""
        if name in MOVES_OTHERS or not before:
            return
        own = {before["current"], after["current"]}
        others = [{name: tip for name, tip in one["branches"].items() if name not in own} for one in (before, after)]
        assert others[0] == others[1], f"{name} moved another branch"

    def _check_pinned(self, before: Window, after: Window) -> None:
        """What is pinned is still there, in its place among the pinned."""
        pinned = [one.slot_id for one in before.explanation if one.priority == "pinned"]
        there = [one.slot_id for one in after.explanation if one.slot_id in {*pinned}]
        assert {*there} == {*pinned}
        assert there == pinned or self.done[-1] == "move"

    async def _check_undo(self, name: str, before: Refs, after: Refs, shown: Window | None) -> None:
        """Undo takes back every ref and the window exactly, and redo brings them back."""
        done = before and after["newest"] != before["newest"] and name not in {"undo", "redo"}
        if not done or self.random.random() < 0.5:
            return
        now = self.window
        await Desk.ask(self, "undo")
        assert _without_log(await self.refs()) == _without_log(before), f"undo of {name} leaves something"
        await self.look()
        assert _digest(self.window) == _digest(shown)
        await Desk.ask(self, "redo")
        self._stands = await self.refs()
        assert _without_log(self._stands) == _without_log(after), f"redo of {name} is not what it was"
        await self.look()
        assert _digest(self.window) == _digest(now)

    async def _check_seen(self) -> None:
        """What a commit showed once it always shows, remembered or read anew."""
        for commit in self.commits:
            if commit not in self._seen:
                self._seen[commit] = _digest(await self._at(commit))
        if self.commits:
            if self.random.random() < 0.3:
                MEMORY.clear()
            commit = self.random.choice(self.commits)
            assert self._seen[commit] == _digest(await self._at(commit)), "a window of the past changed"

    async def _at(self, commit: str) -> Window:
        window: Window = await Desk.ask(self, "window", commit, format="messages", explain=True)
        return window

    async def end(self) -> None:
        """Check what is stored, read everything anew, and replay the history from a bundle."""
        MEMORY.clear()
        if not self.commits:
            return
        checked = await Desk.ask(self, "verify", full=True)
        assert checked.sound, checked.problems
        await Desk.ask(self, "gc")
        lines = (await Desk.ask(self, "bundle")).splitlines()
        commits = {}
        for line in map(json.loads, lines):
            if "commit" in line and "content" in line:
                content = line["content"]
                commits[line["commit"]] = Commit.decode(json.dumps(content))
        for commit in self.commits:
            window = await self._at(commit)
            assert _digest(window) == self._seen[commit]
            if commit in commits:
                shown = View(replay(commit, commits)).shown
                assert [(one.slot_id, one.priority) for one in shown] == [
                    (one.slot_id, one.priority) for one in window.explanation
                ]

    def _tell(self, name: str, answer: Any) -> None:
        where = {"branches": self.branches, "current": self.current, "window": _digest(self.window)}
        text = json.dumps([name, _plain(answer), where], sort_keys=True, default=str)
        self.told.append(_ID.sub(lambda found: self._named(found[0]), text))

    def _named(self, found: str) -> str:
        return self._names.setdefault(found[:10], f"id {len(self._names)}")


def gist(answer: Any) -> Any:
    """What a dry run can know of an answer."""
    if isinstance(answer, CommonTraceError):
        return str(answer)
    if not hasattr(answer, "model_dump"):
        return type(answer)
    fields = answer.model_dump(mode="json", exclude={"commit_id", "commits", "head", "operation_id"})
    fields["conflicts"] = [(one["kind"], one["register_name"]) for one in fields.get("conflicts", [])]
    if fields.get("applied"):
        fields["applied"].pop("commit_id")
    return fields


def _without_log(refs: Refs) -> Refs:
    return {name: value for name, value in refs.items() if name != "newest"}


def _digest(window: Window | None) -> str:
    """Everything that a window shows."""
    if window is None:
        return ""
    return json.dumps(window.model_dump(mode="json", exclude={"ref"}), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, CommonTraceError):
        return type(value).__name__, str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump(mode="json"))
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name not in _UNLIKE}
    return value
