"""Traces from one store to another: what is to go, one after the other, so that it can stop and go on anywhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from commontrace.errors import (
    AuthenticationError,
    BackendError,
    CommonTraceError,
    ConflictError,
    InternalError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from commontrace.models.syncing import (
    ChangedTrace,
    Changes,
    Delivery,
    DeliveryResult,
    KnownTrace,
    TraceHistory,
    TransferItem,
    TransferReport,
    TravelVersion,
)
from commontrace.models.traces import Visibility
from commontrace.remotes.memory import Link, Memory, Progress

_SERVED = ("active", "pending", "superseded")
_FATAL = (AuthenticationError, RateLimitedError, UnavailableError)
_WIDTH = {"private": 0, "team": 1, "public": 2}


class Side(Protocol):
    """A store, a server or a folder: where traces come from or go to."""

    def changes(self, cursor: int = 0) -> Changes:
        """What changed since a cursor."""
        ...

    def known(self, traces: Sequence[Sequence[str]]) -> list[KnownTrace]:
        """What is there of traces, by the ids of their versions."""
        ...

    def history(self, trace_id: str) -> TraceHistory:
        """A trace with all its versions."""
        ...

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Take a trace in."""
        ...

    def remove(self, trace_id: str, state: str, reason: str) -> None:
        """Withdraw or purge a trace."""
        ...

    def restore(self, trace_id: str) -> None:
        """Bring a withdrawn trace back."""
        ...

    def widen(self, trace_id: str, visibility: Visibility) -> str:
        """Show a trace to more people; says where that waits for an approval."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What a push or pull was told.

    Attributes:
        dry_run: whether it only looks.
        insist: whether near-duplicates are added all the same.
        visibility: who may see the traces where they go; as here unless it is said.
        linked_only: whether only what is there already is sent.
        shown: ids of the versions that were shown before; no others leave. None where nobody looked.
    """

    dry_run: bool = False
    insist: bool = False
    visibility: Visibility | None = None
    linked_only: bool = False
    shown: frozenset[str] | None = None


@dataclass(slots=True)
class Transfer:
    """One push or pull between the own store and a remote.

    Attributes:
        name: the remote's name.
        direction: which way.
        source: where traces come from.
        target: where they go to.
        memory: what was learned before.
        terms: what was asked for.
        imports: whether new traces belong to the reserved contributor of imports at the target.
    """

    name: str
    direction: Literal["push", "pull"]
    source: Side
    target: Side
    memory: Memory
    terms: Terms
    imports: bool = False
    items: list[TransferItem] = field(default_factory=list)
    kept: int = 0
    held_back: int = 0

    def named(self, trace_ids: Sequence[str]) -> TransferReport:
        """Move these traces, whoever may see them here."""
        for trace_id in trace_ids:
            history = self.source.history(trace_id)
            entry = _changed_of(history)
            progress = Progress()
            known = (self.target.known([entry.versions]))[0]
            self._one(entry, known, progress)
            self._save(progress)
        return self._report()

    def all(self) -> TransferReport:
        """Move whatever changed since the last time, and what failed then."""
        for trace_id in self.memory.again(self.name, self._mode):
            try:
                self.named([trace_id])
            except NotFoundError:
                self._save(Progress(done={trace_id}))
        for page in self._pages():
            progress = Progress(cursor=page.cursor)
            chosen = self._chosen(page.changed)
            known = self.target.known([entry.versions for entry in chosen])
            for entry, one in zip(chosen, known, strict=True):
                self._one(entry, one, progress)
            self._save(progress)
        return self._report()

    @property
    def _mode(self) -> str:
        # What a sync passed over was not looked at by a push.
        return "update" if self.terms.linked_only else self.direction

    def _pages(self) -> Iterator[Changes]:
        cursor = self.memory.cursor(self.name, self._mode)
        while True:
            page = self.source.changes(cursor)
            if page.changed or page.cursor != cursor:
                yield page
            if not page.more or page.cursor == cursor:  # who says that there is more has to come to it
                return
            cursor = page.cursor

    def _chosen(self, changed: Sequence[ChangedTrace]) -> list[ChangedTrace]:
        """What is sent without being named: one's own that others may see, and what was sent before."""
        if self.direction == "pull":
            return [entry for entry in changed if entry.mine or entry.visibility != "private"]
        links = self.memory.links(self.name, [entry.trace_id for entry in changed])
        chosen = []
        for entry in changed:
            if entry.mine and entry.trace_id in links:
                chosen.append(entry)
            elif entry.mine and entry.visibility != "private" and entry.state in _SERVED:
                if self.terms.linked_only:
                    self.held_back += 1
                else:
                    chosen.append(entry)
        return chosen

    def _one(self, entry: ChangedTrace, known: KnownTrace, progress: Progress) -> None:
        try:
            item = self._moved(entry, known)
        except CommonTraceError as error:
            if isinstance(error, _FATAL) or (isinstance(error, BackendError) and not isinstance(error, InternalError)):
                raise
            ours = known.trace_id if self.direction == "pull" else entry.trace_id
            progress.failed.add(entry.trace_id)
            failed = {"trace_id": ours or entry.trace_id, "detail": error.detail, "hint": error.hint}
            self.items.append(TransferItem(title=entry.title, action="failed", **failed))
            return
        if item is None or item.action == "kept":
            self.kept += 1
        else:
            self.items.append(item)
        self._note(entry, known, item, progress)

    def _note(self, entry: ChangedTrace, known: KnownTrace, item: TransferItem | None, progress: Progress) -> None:
        """Which trace of the other side it is, and that it need not be tried again."""
        progress.done.add(entry.trace_id)
        if item is None and known.state not in _SERVED:
            return
        there = item.remote_id if item else known.trace_id
        ours, remote = entry.trace_id, there
        if self.direction == "pull":
            ours, remote = (item.trace_id if item else known.trace_id) or "", entry.trace_id
        if ours and remote:
            removed = item is not None and item.action == "removed" and self.direction == "pull"
            progress.links[ours] = Link(remote, entry.version_id, removed)
            if self.direction == "pull" and item is not None and item.action == "added":
                progress.arrived.add(ours)

    def _moved(self, entry: ChangedTrace, known: KnownTrace) -> TransferItem | None:
        if entry.state not in _SERVED:
            return self._removal(entry, known)
        same = known.version_id == entry.version_id and {*entry.versions} <= {*known.versions}
        if known.trace_id is not None and known.state not in _SERVED:
            if self._back(entry, known):
                return self._item(entry, "restored", known.trace_id)
            detail = f"It is {known.state} at the other side: nothing brings it back but a restore there."
            return None if same else self._item(entry, "gone", known.trace_id, detail=detail)
        wanted = self.terms.visibility
        wider = wanted is not None and _WIDTH[wanted] > _WIDTH[known.visibility or "private"]
        return None if same and not wider else self._sent(entry, known, wider=wider)

    def _sent(self, entry: ChangedTrace, known: KnownTrace, *, wider: bool) -> TransferItem:
        history = self.source.history(entry.trace_id)
        have = {*known.versions}
        versions = [_without(one) if one.version_id in have else one for one in history.versions]
        # Of what was edited by hand in a folder the words before may be nowhere.
        versions = [one for one in versions if one.content is not None or one.version_id in have]
        sent = [one for one in versions if one.content is not None]
        if self.terms.shown is not None and not self.terms.shown.issuperset(one.version_id for one in sent):
            raise ConflictError("It is not what was shown: it changed meanwhile.", "Push again, and look at it.")
        wanted = self.terms.visibility or history.visibility
        delivery = Delivery.of(
            versions=versions,
            serves=history.version_id,
            visibility="private" if wanted == "private" else "team",
            origin="imported" if self.imports and wanted != "private" else "contributed",
            insist=self.terms.insist or self.direction == "pull",
            dry_run=self.terms.dry_run,
            note=f"{'Pulled from' if self.direction == 'pull' else 'Pushed to'} {self.name}.",
        )
        result = self.target.deliver(delivery)
        said = list(result.notes)
        if self.terms.visibility and result.trace_id and not self.terms.dry_run:
            said += self._widened(result.trace_id, known)
        return self._item(
            entry,
            "updated" if wider and result.action == "kept" else result.action,
            result.trace_id or known.trace_id,
            detail=" ".join([_SAID.get(result.action, ""), *said]).strip(),
            visibility=self.terms.visibility or delivery.visibility,
            versions=sent if self.terms.dry_run else [],
            bytes=len(delivery.model_dump_json(exclude_defaults=True).encode()),
        )

    def _widened(self, trace_id: str, known: KnownTrace) -> list[str]:
        wanted = self.terms.visibility
        now = known.visibility or ("private" if wanted == "private" else "team")
        if wanted is None or _WIDTH[wanted] <= _WIDTH[now]:
            return []
        said = self.target.widen(trace_id, wanted)
        return [said] if said else []

    def _removal(self, entry: ChangedTrace, known: KnownTrace) -> TransferItem | None:
        """What was removed where it comes from is removed here too: of one's own there, of what was pulled here."""
        if known.trace_id is None or known.state in {entry.state, "purged"}:
            return None
        if known.state not in _SERVED and entry.state != "purged":
            return None
        detail = f"It was {entry.state} at {self.name if self.direction == 'pull' else 'the other side'}."
        if self.direction == "push" and not known.mine:
            return None
        # A remote has no say over what was here before it, and anybody may name the id of a version.
        if self.direction == "pull" and (known.mine or not self.memory.came_from(self.name, known.trace_id)):
            return self._item(entry, "left", known.trace_id, detail=f"{detail} It did not come from there: it stays.")
        if not self.terms.dry_run:
            self.target.remove(known.trace_id, entry.state, detail)
        return self._item(entry, "removed", known.trace_id, detail=detail)

    def _back(self, entry: ChangedTrace, known: KnownTrace) -> bool:
        """Whether a trace was removed here for it was removed there, and is served there again."""
        if self.direction != "pull" or known.trace_id is None:
            return False
        link = self.memory.links(self.name, [known.trace_id]).get(known.trace_id)
        if link is None or not link.removed or link.remote_id != entry.trace_id:
            return False
        if not self.terms.dry_run:
            self.target.restore(known.trace_id)
        return True

    def _item(self, entry: ChangedTrace, action: str, there: str | None, **fields: Any) -> TransferItem:
        ours, remote = entry.trace_id, there
        if self.direction == "pull":
            ours, remote = there or entry.trace_id, entry.trace_id
        told = {"trace_id": ours, "remote_id": remote, "title": entry.title, "action": action, **fields}
        return TransferItem.model_validate(told)

    def _save(self, progress: Progress) -> None:
        if not self.terms.dry_run:
            self.memory.save(self.name, self._mode, progress)

    def _report(self) -> TransferReport:
        return TransferReport(
            remote=self.name,
            direction=self.direction,
            dry_run=self.terms.dry_run,
            items=self.items,
            kept=self.kept,
            held_back=self.held_back,
        )


_SAID = {
    "newer": "It is newer there.",
    "proposed": "It belongs to somebody else there: an amendment waits for them.",
    "diverged": "It was edited on both sides: both versions are kept, and an amendment waits for a decision.",
}


def _without(version: TravelVersion) -> TravelVersion:
    return version.model_copy(update={"content": None})


def _changed_of(history: TraceHistory) -> ChangedTrace:
    served = next((one.content for one in history.versions if one.version_id == history.version_id), None)
    return ChangedTrace(
        trace_id=history.trace_id,
        version_id=history.version_id,
        versions=[one.version_id for one in history.versions],
        state=history.state,
        visibility=history.visibility,
        title=served.title if served else "",
        mine=True,
    )
