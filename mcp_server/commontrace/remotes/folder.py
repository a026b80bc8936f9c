"""A folder as a remote: one file a trace, the same bytes for the same trace, so that git shows what changed.

A file holds the version that is served on top and those before it below; texts of several lines are lists of lines.
Whoever edits the words on top by hand has made the next version. A removed trace leaves a file with its ids alone.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from pydantic import ValidationError

from commontrace.errors import InvalidInputError, NotFoundError
from commontrace.lineage import in_order, relation
from commontrace.models.syncing import (
    MOST_SEEN,
    ChangedTrace,
    Changes,
    Delivery,
    DeliveryAction,
    DeliveryResult,
    KnownTrace,
    TraceHistory,
    TravelVersion,
)
from commontrace.models.traces import TraceContent, TraceState
from commontrace.versions import version_id

_FORMAT: Final = 1
_LARGEST: Final = 16 * 1024 * 1024
_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")
_SLUG: Final = 48
_DIGITS: Final = 12
_REMOVED: Final = frozenset({"withdrawn", "purged", "hidden"})


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a file holds: its versions, oldest first, and the one on top; of a removed trace the ids."""

    name: str
    serves: str
    versions: tuple[TravelVersion, ...]
    state: TraceState = "active"
    reason: str = ""

    @property
    def after(self) -> dict[str, list[str]]:
        return {one.version_id: list(one.after) for one in self.versions}

    @property
    def top(self) -> TravelVersion:
        return next(one for one in self.versions if one.version_id == self.serves)


class Folder:
    """The traces of a folder.

    Args:
        path: the folder, as of a checkout; the traces are in `traces/` below it.

    Raises:
        NotFoundError: there is no such folder.
        InvalidInputError: a file in it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise NotFoundError(f"There is no folder {path}.", "Make it, or clone the repository there.")
        self._path = path / "traces"
        self._files: dict[str, _Kept] = {}
        self._by_version: dict[str, str] = {}
        for file in sorted(self._path.glob("*.json")):
            self._hold(_read(file))

    def changes(self, start: int = 0) -> Changes:
        """Up to 200 traces by the names of their files, from the one with this number on; the cursor ends at 0."""
        chosen = list(self._files.values())[start : start + MOST_SEEN]
        more = start + MOST_SEEN < len(self._files)
        changed = [
            ChangedTrace(
                trace_id=_id(kept),
                version_id=kept.serves,
                versions=[one.version_id for one in kept.versions],
                state=kept.state,
                visibility="team",
                title=kept.top.content.title if kept.top.content else "",
                mine=False,
            )
            for kept in chosen
        ]
        return Changes(changed=changed, cursor=start + MOST_SEEN if more else 0, more=more)

    def known(self, traces: Sequence[Sequence[str]]) -> list[KnownTrace]:
        """What is here of traces, by the ids of their versions."""
        return [self._known(versions) for versions in traces]

    def _known(self, versions: Sequence[str]) -> KnownTrace:
        kept = self._find(versions)
        if kept is None:
            return KnownTrace()
        return KnownTrace(
            trace_id=_id(kept),
            version_id=kept.serves,
            versions=[one.version_id for one in kept.versions],
            state=kept.state,
            visibility="team",
            mine=True,
        )

    def history(self, trace_id: str) -> TraceHistory:
        """A trace with all its versions."""
        for kept in self._files.values():
            if _id(kept) == trace_id:
                return TraceHistory(
                    trace_id=trace_id,
                    version_id=kept.serves,
                    versions=list(kept.versions),
                    state=kept.state,
                    visibility="team",
                )
        raise NotFoundError(f"No trace {trace_id} in the folder.", "See its files.")

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Write a trace's file, with what it held before and what is new."""
        ids = [one.version_id for one in delivery.versions]
        kept = self._find(ids)
        action: DeliveryAction = "added"
        serves, old = delivery.serves, kept.versions if kept else ()
        if kept is not None:
            both = _united(kept.versions, delivery.versions)
            how = relation({one.version_id: one.after for one in both}, delivery.serves, kept.serves)
            action = cast("DeliveryAction", {"same": "kept", "ahead": "updated", "behind": "newer"}.get(how, how))
            serves = delivery.serves if how == "ahead" else kept.serves
        versions = _united(old, delivery.versions)
        new = _Kept(kept.name if kept else _name(versions[0]), serves, versions)
        if not delivery.dry_run:
            self._write(new)
        return DeliveryResult(action=action, trace_id=_id(new), version_id=serves)

    def remove(self, trace_id: str, state: str, reason: str) -> None:
        """Let a trace's file hold its ids alone, with what became of it."""
        kept = next(one for one in self._files.values() if _id(one) == trace_id)
        versions = tuple(one.model_copy(update={"content": None}) for one in kept.versions)
        self._write(_Kept(kept.name, kept.serves, versions, cast("TraceState", state), reason))

    def _find(self, versions: Sequence[str]) -> _Kept | None:
        name = next((self._by_version[one] for one in reversed(versions) if one in self._by_version), None)
        return self._files[name] if name else None

    def _hold(self, kept: _Kept) -> None:
        self._files[kept.name] = kept
        self._by_version.update({one.version_id: kept.name for one in kept.versions})

    def _write(self, kept: _Kept) -> None:
        self._path.mkdir(exist_ok=True)
        file = self._path / kept.name
        text = _text(kept)
        if not file.exists() or file.read_bytes() != text:
            part = file.with_name(f".{kept.name}.{os.getpid()}.part")
            part.write_bytes(text)
            part.replace(file)
        self._hold(kept)


def _id(kept: _Kept) -> str:
    """The id of a folder's trace: the first digits of its first version's."""
    return kept.versions[0].version_id[:32]


def _name(first: TravelVersion) -> str:
    title = first.content.title if first.content else ""
    slug = _NO_SLUG.sub("-", title.lower()).strip("-")[:_SLUG].strip("-")
    return f"{slug or 'trace'}-{first.version_id[:_DIGITS]}.json"


def _united(old: Sequence[TravelVersion], new: Sequence[TravelVersion]) -> tuple[TravelVersion, ...]:
    """The versions of both, oldest first, each with all that it came after."""
    found: dict[str, TravelVersion] = {}
    for one in (*old, *new):
        before = found.get(one.version_id)
        content = one.content or (before.content if before else None)
        after = sorted({*one.after, *(before.after if before else ())})
        found[one.version_id] = TravelVersion(version_id=one.version_id, after=after, content=content)
    return tuple(found[name] for name in in_order({one.version_id: one.after for one in found.values()}))


def _text(kept: _Kept) -> bytes:
    said: dict[str, Any] = {"commontrace_trace": _FORMAT, "version_id": kept.serves, "after": kept.top.after}
    if kept.state in _REMOVED:
        said |= {"state": kept.state, "reason": kept.reason}
    if kept.top.content is not None:
        said["content"] = _shown(kept.top.content)
    others = [one for one in kept.versions if one.version_id != kept.serves]
    said["earlier"] = [
        {
            "version_id": one.version_id,
            "after": one.after,
            **({"content": _shown(one.content)} if one.content is not None else {}),
        }
        for one in others
    ]
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def _shown(content: TraceContent) -> Any:
    return _split(content.model_dump(mode="json", exclude_defaults=True))


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return {"lines": value.split("\n")} if "\n" in value else value
    if isinstance(value, list):
        return [_split(item) for item in value]
    return {key: _split(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def _joined(value: Any) -> Any:
    if isinstance(value, dict):
        lines = value.get("lines")
        if len(value) == 1 and isinstance(lines, list):
            return "\n".join(str(line) for line in lines)
        return {key: _joined(item) for key, item in value.items()}
    return [_joined(item) for item in value] if isinstance(value, list) else value


def _read(file: Path) -> _Kept:
    try:
        said = _said(file)
        top = _version(said)
        known = [_version(one) for one in said.get("earlier", ())]
        if top.version_id != said["version_id"]:  # somebody edited the words: that is the next version
            known.append(TravelVersion(version_id=said["version_id"], after=top.after))
            top = TravelVersion(version_id=top.version_id, after=[said["version_id"]], content=top.content)
        versions = _united(known, [top])
        state, reason = cast("TraceState", said.get("state", "active")), str(said.get("reason", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        raise InvalidInputError(
            f"{file} holds no trace as `commontrace push` writes it.",
            "Restore it from git, or settle the conflict in it; nothing was moved.",
        ) from error
    return _Kept(file.name, top.version_id, versions, state if state in _REMOVED else "active", reason)


def _said(file: Path) -> dict[str, Any]:
    """What a file says; raises ValueError for one that is a link, too large, or of another format."""
    if file.is_symlink() or file.stat().st_size > _LARGEST:
        raise ValueError
    said: dict[str, Any] = json.loads(file.read_bytes())
    if said.get("commontrace_trace") != _FORMAT:
        raise ValueError
    return said


def _version(said: Mapping[str, Any]) -> TravelVersion:
    words = said.get("content")
    content = TraceContent.model_validate(_joined(words)) if words is not None else None
    named = version_id(content) if content is not None else said["version_id"]
    return TravelVersion(version_id=named, after=said.get("after", []), content=content)
