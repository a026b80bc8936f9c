"""Where every message of a window comes from: what introduced it, what changed it, what brought it here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from commontrace.models.contexts import Blamed, BlameResult, OriginStep
from commontrace.objects import Commit
from commontrace.providers.messages import text_of
from commontrace_backend.contexts import store
from commontrace_backend.contexts.contents import Content, contents
from commontrace_backend.contexts.graph import parents_first
from commontrace_backend.contexts.matching import Wanted
from commontrace_backend.contexts.places import open_place, resolve
from commontrace_backend.contexts.states import view_at
from commontrace_backend.contexts.walk import commits_to
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession

_EXCERPT: Final = 200
_TOLD: Final = frozenset({"append", "edit", "cover", "move", "annotate", "restore"})


async def blame(session: ReadSession, caller: Caller, name: str, ref: str, wanted: Wanted) -> BlameResult:
    """Every message of the window at a ref, or those that hold some words, each with its chain of origin."""
    place = await open_place(session, caller, name)
    tip = await resolve(session, place, ref)
    shown = (await view_at(session, place.id, tip)).shown
    found = await contents(session, place.id, shown)
    people = await store.people(session, place.tenant_id)
    history = _History(tip, await commits_to(session, place.id, tip), people)
    messages = [
        _blamed(position, content, excerpt, history)
        for position, content in enumerate(found)
        if (excerpt := _excerpt(content, wanted)) is not None
    ]
    return BlameResult(repository=name, ref=ref, commit_id=tip, messages=messages)


def _excerpt(content: Content, wanted: Wanted) -> str | None:
    text = text_of(content.message)
    if not wanted.pattern:
        return " ".join(text[: 4 * _EXCERPT].split())[:_EXCERPT]
    match = wanted.find(text)
    return match.excerpt if match else None


def _blamed(position: int, content: Content, excerpt: str, history: "_History") -> Blamed:
    return Blamed(
        slot_id=content.slot.slot_id,
        position=position,
        role=content.message["role"],
        priority=content.slot.priority,
        tokens=content.tokens,
        excerpt=excerpt,
        covers=list(content.slot.covers),
        origin=history.chain(content.slot.slot_id),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    kind: str
    commit_id: str


class _History:
    """What leads to a commit, by slot."""

    def __init__(self, tip: str, commits: Mapping[str, Commit], people: Mapping[str, str]) -> None:
        self._commits = commits
        self._people = people
        self._order = parents_first([tip], lambda one: commits[one].parents)
        self._brought = self._merges(tip)
        self._touched: dict[str, list[_Step]] = {}
        for commit_id in self._order:
            for operation in commits[commit_id].operations:
                self._take(commit_id, operation)

    def _take(self, commit_id: str, operation: Mapping[str, Any]) -> None:
        steps = self._touched.setdefault(operation["slot"], [])
        kind = operation["op"]
        if kind not in _TOLD or (kind == "append" and steps):  # the same operation can come along two ways
            return
        if kind == "annotate" and operation["key"] != "priority":
            return
        steps.append(_Step(kind, commit_id))

    def _merges(self, tip: str) -> dict[str, str]:
        """For each commit that came by a merge, the one on the line of first parents that brought it."""
        line = [tip]
        while self._commits[line[-1]].parents:
            line.append(self._commits[line[-1]].parents[0])
        brought: dict[str, str] = {}
        on_line = {*line}
        for merge in reversed(line):
            waiting = [*self._commits[merge].parents[1:]]
            while waiting:
                commit_id = waiting.pop()
                if commit_id not in on_line and commit_id not in brought:
                    brought[commit_id] = merge
                    waiting.extend(self._commits[commit_id].parents)
        return brought

    def chain(self, slot_id: str) -> list[OriginStep]:
        """Who introduced a slot and who changed it, oldest first; behind them the merges that brought this here."""
        steps = self._touched[slot_id]
        merges = dict.fromkeys(self._brought[step.commit_id] for step in steps if step.commit_id in self._brought)
        every: Sequence[_Step] = [*steps, *(_Step("merge", commit_id) for commit_id in merges)]
        return [self._told(step) for step in every]

    def _told(self, step: _Step) -> OriginStep:
        commit = self._commits[step.commit_id]
        picked = commit.metadata.get("picked_from")
        return OriginStep.model_validate(
            {
                "kind": step.kind,
                "commit_id": step.commit_id,
                "author": commit.author,
                "author_name": self._people.get(commit.author, ""),
                "agent": commit.agent,
                "created_at": datetime.fromisoformat(commit.time),
                "message": commit.message,
                "picked_from": ", ".join(picked) if isinstance(picked, list) else picked,
            }
        )
