"""Reading what was committed: the log, windows, differences, status."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Row

from commontrace.models.contexts import (
    BranchInfo,
    CommitInfo,
    ContextDiff,
    ContextStatus,
    DiffMessage,
    Explained,
    LogPage,
    RepositoryInfo,
    TokenCount,
    Window,
    WindowFormat,
)
from commontrace.providers import rendering
from commontrace.providers.anthropic import to_anthropic
from commontrace.providers.gemini import to_gemini
from commontrace.providers.messages import Message, text_of
from commontrace.providers.openai_chat import to_openai
from commontrace.providers.responses import to_responses
from commontrace.providers.text import to_markdown, to_text
from commontrace_backend.contexts import store
from commontrace_backend.contexts.objects import Commit
from commontrace_backend.contexts.places import SHORT, Place, open_place, resolve
from commontrace_backend.contexts.state import Slot, replay, state_id
from commontrace_backend.contexts.walk import Walked, commits_to, walk
from commontrace_backend.contexts.window import FRAMING, Choice, choose
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession
from commontrace_backend.tokens import TokenCounter, default_counter

_SEARCHED_AT_ONCE: Final = 200
_SHORTEST_TRACE_ID: Final = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """The messages of a state in order, each with its slot and tokens."""

    slots: list[Slot]
    messages: list[Message]
    tokens: list[int]


async def show(session: ReadSession, repository_id: int, slots: Sequence[Slot]) -> Shown:
    """The messages that slots hold; what was counted with another encoding is counted again."""
    counter, encoding = default_counter(), counting()
    found = await store.find_blobs(session, repository_id, (slot.blob_id for slot in slots))
    messages = {blob_id: json.loads(row.encoded) for blob_id, row in found.items()}
    tokens = {
        blob_id: row.tokens if row.encoding == encoding else cost(counter, messages[blob_id])
        for blob_id, row in found.items()
    }
    return Shown(list(slots), [messages[slot.blob_id] for slot in slots], [tokens[slot.blob_id] for slot in slots])


async def show_at(session: ReadSession, repository_id: int, commit_id: str) -> Shown:
    """The messages of the window at a commit."""
    commits = await commits_to(session, repository_id, commit_id)
    return await show(session, repository_id, replay([commit_id], commits))


async def window_tokens(session: ReadSession, repository_id: int, row: Row[Any]) -> int:
    """What the window at a commit comes to under the encoding that counts now."""
    if row.encoding == counting():
        return int(row.window_tokens)
    return sum((await show_at(session, repository_id, row.commit_id)).tokens)


def counting() -> str:
    """The encoding that counts."""
    return default_counter().count("").encoding


def cost(counter: TokenCounter, message: Message) -> int:
    """What a message costs: its text and its framing."""
    return counter.count(text_of(message)).tokens + FRAMING


def total(tokens: int) -> TokenCount:
    """A sum of costs, labelled as the counter labels it."""
    label = default_counter().count("")
    return TokenCount(tokens=tokens, method=label.method, encoding=label.encoding)


async def log(session: ReadSession, caller: Caller, name: str, ref: str, limit: int, grep: str) -> LogPage:
    """Commits from a ref backwards, newest first; with `grep` those whose words contain it."""
    place = await open_place(session, caller, name)
    names = await _names(session, place)
    seeds = [await resolve(session, place, part) for part in ref.split(",")]
    passed: list[tuple[str, Commit]] = []
    walked = _noting(walk(session, place.id, seeds), passed)
    found: list[CommitInfo] = []
    async for row, commit in _mentioning(session, place, walked, grep.lower()) if grep else walked:
        if len(found) == limit:
            return LogPage(commits=found, next_ref=_rest(seeds, passed, row.commit_id))
        found.append(info(name, row, commit, names.get(row.commit_id, [])))
    return LogPage(commits=found)


async def _noting(walked: Walked, passed: list[tuple[str, Commit]]) -> Walked:
    async for row, commit in walked:
        passed.append((row.commit_id, commit))
        yield row, commit


def _rest(seeds: Sequence[str], passed: Sequence[tuple[str, Commit]], stop: str) -> str:
    """Where a page goes on: behind a merge that is more than one commit, or the other side would be lost."""
    before = dict(takewhile(lambda item: item[0] != stop, passed))
    reached = dict.fromkeys([*seeds, *(parent for commit in before.values() for parent in commit.parents)])
    return ",".join(commit_id for commit_id in reached if commit_id not in before)


async def _mentioning(session: ReadSession, place: Place, walked: Walked, words: str) -> Walked:
    """Those commits whose message or messages contain some words, in any case of letters."""
    batch: list[tuple[Row[Any], Commit]] = []
    async for item in walked:
        batch.append(item)
        if len(batch) == _SEARCHED_AT_ONCE:
            for found in await _search(session, place, batch, words):
                yield found
            batch = []
    for found in await _search(session, place, batch, words):
        yield found


async def _search(
    session: ReadSession, place: Place, batch: Sequence[tuple[Row[Any], Commit]], words: str
) -> list[tuple[Row[Any], Commit]]:
    blobs = await store.find_blobs(session, place.id, (blob_id for _, commit in batch for blob_id in commit.blob_ids))
    matching = {blob_id for blob_id, blob in blobs.items() if words in text_of(json.loads(blob.encoded)).lower()}
    return [
        (row, commit)
        for row, commit in batch
        if words in commit.message.lower() or not matching.isdisjoint(commit.blob_ids)
    ]


async def _names(session: ReadSession, place: Place) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for row in await store.all_refs(session, place.id):
        names.setdefault(row.commit_id, []).append(row.name if row.kind == "branch" else f"tag: {row.name}")
    return names


def info(repository: str, row: Row[Any], commit: Commit, refs: Sequence[str] = ()) -> CommitInfo:
    """A commit as the log shows it."""
    return CommitInfo(
        repository=repository,
        commit_id=row.commit_id,
        short_id=row.commit_id[:SHORT],
        parents=list(commit.parents),
        author=commit.author,
        agent=commit.agent,
        created_at=datetime.fromisoformat(commit.time),
        message=commit.message,
        messages=len(commit.blob_ids),
        tokens=row.window_tokens,
        refs=list(refs),
        traces=list(commit.traces),
        metadata=dict(commit.metadata),
        generation=dict(commit.generation),
    )


async def get_commit(session: ReadSession, caller: Caller, name: str, ref: str) -> CommitInfo:
    """One commit."""
    place = await open_place(session, caller, name)
    row = await store.find_commit(session, place.id, await resolve(session, place, ref))
    assert row is not None
    return info(name, row, Commit.decode(row.encoded), (await _names(session, place)).get(row.commit_id, []))


@dataclass(frozen=True, slots=True)
class View:
    """How a window is wanted: the most tokens it may have, its shape, and whether to say why."""

    max_tokens: int | None
    shape: WindowFormat
    explain: bool


async def window(session: ReadSession, caller: Caller, name: str, ref: str, view: View) -> Window:
    """The messages at a ref that fit a budget, in the shape that a provider takes."""
    place = await open_place(session, caller, name)
    commit_id = await resolve(session, place, ref)
    shown = await show_at(session, place.id, commit_id)
    choice = choose(shown.messages, shown.tokens, view.max_tokens)
    kept = [message for position, message in enumerate(shown.messages) if position in choice.included]
    return Window(
        repository=name,
        ref=ref,
        commit_id=commit_id,
        state_id=state_id(shown.slots),
        format=view.shape,
        tokens=total(sum(shown.tokens[position] for position in choice.included)),
        included=len(choice.included),
        left_out=len(shown.messages) - len(choice.included),
        explanation=_explain(shown, choice) if view.explain else [],
        **_shaped(kept, view.shape),
    )


def _shaped(messages: list[Message], shape: WindowFormat) -> dict[str, Any]:
    if shape in {"text", "markdown"}:
        return {"text": to_text(messages) if shape == "text" else to_markdown(messages)}
    if shape == "anthropic":
        system, turns = to_anthropic(messages)
        return {"system": system, "messages": turns}
    if shape == "gemini":
        request = to_gemini(messages)
        instruction = request.get("systemInstruction", {"parts": []})["parts"]
        return {"system": "\n\n".join(part["text"] for part in instruction), "messages": request["contents"]}
    if shape == "messages":
        return {"messages": messages}
    return {"messages": to_openai(messages) if shape == "openai" else to_responses(messages)}


def _explain(shown: Shown, choice: Choice) -> list[Explained]:
    return [
        Explained(
            commit_id=slot.commit_id,
            role=message["role"],
            tokens=tokens,
            included=position in choice.included,
            reason=choice.reasons.get(position, "instructs the model" if rendering.is_system(message) else "fits"),
        )
        for position, (slot, message, tokens) in enumerate(zip(shown.slots, shown.messages, shown.tokens, strict=True))
    ]


async def diff(session: ReadSession, caller: Caller, name: str, a: str, b: str) -> ContextDiff:
    """What the window at `b` has that the one at `a` has not, and the other way round, in the order of the windows."""
    place = await open_place(session, caller, name)
    tips = [await resolve(session, place, ref) for ref in (a, b)]
    commits = await commits_to(session, place.id, *tips)
    before, after = [await show(session, place.id, replay([commit_id], commits)) for commit_id in tips]
    old, new = ([slot.blob_id for slot in shown.slots] for shown in (before, after))
    same = next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )
    changes = []
    for tag, low, high, start, stop in SequenceMatcher(None, old[same:], new[same:], autojunk=False).get_opcodes():
        if tag != "equal":
            changes += [_changed("removed", before, same + position) for position in range(low, high)]
            changes += [_changed("added", after, same + position) for position in range(start, stop)]
    return ContextDiff(a=a, b=b, changes=changes, token_delta=sum(after.tokens) - sum(before.tokens))


def _changed(change: Any, shown: Shown, position: int) -> DiffMessage:
    message = shown.messages[position]
    return DiffMessage(change=change, role=message["role"], tokens=shown.tokens[position], text=text_of(message))


async def status(session: ReadSession, caller: Caller, name: str) -> ContextStatus:
    """Where writing goes on, and what the window there comes to."""
    place = await open_place(session, caller, name)
    shown = await show_at(session, place.id, place.head) if place.head else Shown([], [], [])
    by_role: Counter[str] = Counter()
    for message, tokens in zip(shown.messages, shown.tokens, strict=True):
        by_role[message["role"]] += tokens
    return ContextStatus(
        repository=name,
        branch=place.branch,
        commit_id=place.head,
        messages=len(shown.messages),
        tokens=total(sum(shown.tokens)),
        by_role=dict(by_role),
    )


async def repositories(session: ReadSession, caller: Caller) -> list[RepositoryInfo]:
    """Every context the caller may see."""
    return [RepositoryInfo.model_validate(row) for row in await store.all_repositories(session, caller)]


async def branches(session: ReadSession, caller: Caller, name: str) -> list[BranchInfo]:
    """Every branch, and the one that HEAD is on even if it is unborn."""
    place = await open_place(session, caller, name)
    found = {row.name: row.commit_id for row in await store.all_refs(session, place.id) if row.kind == "branch"}
    found.setdefault(place.branch, None)
    return [await _branch(session, place, branch, commit_id) for branch, commit_id in sorted(found.items())]


async def _branch(session: ReadSession, place: Place, name: str, commit_id: str | None) -> BranchInfo:
    row = await store.find_commit(session, place.id, commit_id) if commit_id else None
    message = Commit.decode(row.encoded).message if row else ""
    return BranchInfo(name=name, commit_id=commit_id, message=message, current=name == place.branch)


async def commits_of_trace(session: ReadSession, caller: Caller, trace_id: str) -> list[CommitInfo]:
    """Commits that used or produced a trace; they may have named it by its first digits."""
    prefixes = [trace_id[:digits] for digits in range(_SHORTEST_TRACE_ID, len(trace_id) + 1)]
    rows = await store.commits_of_trace(session, caller, prefixes)
    found = [info(row.repository, row, Commit.decode(row.encoded)) for row in rows]
    return sorted(found, key=lambda commit: commit.created_at, reverse=True)
