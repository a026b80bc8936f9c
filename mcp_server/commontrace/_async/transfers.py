"""Traces from one store to another: what is to go, one after the other, so that it can stop and go on anywhere."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from commontrace._async.sides import AsyncSide
from commontrace.errors import (
    AuthenticationError,
    BackendError,
    CommonTraceError,
    ConflictError,
    InternalError,
    NotFoundError,
    RateLimitedError,
    TooLargeError,
    UnavailableError,
)
from commontrace.models.syncing import (
    MOST_TOGETHER,
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

T = TypeVar("T")

_SERVED = ("active", "pending", "superseded")
_FATAL = (AuthenticationError, RateLimitedError, UnavailableError)
_WIDTH = {"private": 0, "team": 1, "public": 2}


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
class _Move:
    """A trace on its way.

    Attributes:
        entry: what is known of it where it comes from.
        known: what is known of it where it goes to.
        history: its versions, once they are fetched.
    """

    entry: ChangedTrace
    known: KnownTrace
    history: TraceHistory | None = None

    @property
    def versions(self) -> list[TravelVersion]:
        """What is sent: words only of what is not there."""
        assert self.history is not None
        have = {*self.known.versions}
        versions = [_without(one) if one.version_id in have else one for one in self.history.versions]
        # Of what was edited by hand in a folder the words before may be nowhere.
        return [one for one in versions if one.content is not None or one.version_id in have]


@dataclass(slots=True)
class AsyncTransfer:
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
    source: AsyncSide
    target: AsyncSide
    memory: Memory
    terms: Terms
    imports: bool = False
    items: list[TransferItem] = field(default_factory=list)
    kept: int = 0
    held_back: int = 0

    async def named(self, trace_ids: Sequence[str]) -> TransferReport:
        """Move these traces, whoever may see them here."""
        for some in _chunks(trace_ids):
            await self._by_id(some, Progress())
        return self._report()

    async def all(self) -> TransferReport:
        """Move whatever changed since the last time, and what failed then."""
        for some in _chunks(self.memory.again(self.name, self._mode)):
            await self._by_id(some, Progress(), may_be_gone=True)
        async for page in self._pages():
            chosen = self._chosen(page.changed)
            known = await self.target.known([entry.versions for entry in chosen])
            moves = [_Move(entry, one) for entry, one in zip(chosen, known, strict=True)]
            for part in _chunks(moves):
                await self._together(part, Progress())
            self._save(Progress(cursor=page.cursor))
        return self._report()

    async def _by_id(self, trace_ids: Sequence[str], progress: Progress, *, may_be_gone: bool = False) -> None:
        histories = []
        for trace_id, one in zip(trace_ids, await self.source.histories(trace_ids), strict=True):
            if isinstance(one, TraceHistory):
                histories.append(one)
            elif may_be_gone and isinstance(one, NotFoundError):
                progress.done.add(trace_id)
            else:
                raise one
        entries = [_changed_of(one) for one in histories]
        known = await self.target.known([entry.versions for entry in entries])
        moves = [_Move(*one) for one in zip(entries, known, histories, strict=True)]
        await self._together(moves, progress)

    @property
    def _mode(self) -> str:
        # What a sync passed over was not looked at by a push.
        return "update" if self.terms.linked_only else self.direction

    async def _pages(self) -> AsyncIterator[Changes]:
        cursor = self.memory.cursor(self.name, self._mode)
        while True:
            page = await self.source.changes(cursor)
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

    async def _together(self, moves: Sequence[_Move], progress: Progress) -> None:
        """Move a bounded number of traces: those whose words go in as few requests as hold them."""
        for move in moves:
            if self._goes(move):
                continue
            try:
                item = await self._settled(move.entry, move.known)
            except CommonTraceError as error:
                self._fail(move, error, progress)
            else:
                self._done(move, item, progress)
        await self._send([move for move in moves if self._goes(move)], progress)
        self._save(progress)

    def _done(self, move: _Move, item: TransferItem | None, progress: Progress) -> None:
        if item is None or item.action == "kept":
            self.kept += 1
        else:
            self.items.append(item)
        self._note(move.entry, move.known, item, progress)

    def _fail(self, move: _Move, error: CommonTraceError, progress: Progress) -> None:
        """Note what failed of one trace; raise what would fail of all."""
        if isinstance(error, _FATAL) or (isinstance(error, BackendError) and not isinstance(error, InternalError)):
            raise error
        entry = move.entry
        ours = move.known.trace_id if self.direction == "pull" else entry.trace_id
        progress.failed.add(entry.trace_id)
        failed = {"trace_id": ours or entry.trace_id, "code": error.code, "detail": error.detail, "hint": error.hint}
        self.items.append(TransferItem(title=entry.title, action="failed", **failed))

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

    def _goes(self, move: _Move) -> bool:
        """Whether the words of a trace, or who may see them, are news at the other side."""
        entry, known = move.entry, move.known
        if entry.state not in _SERVED or (known.trace_id is not None and known.state not in _SERVED):
            return False
        same = known.version_id == entry.version_id and {*entry.versions} <= {*known.versions}
        return not same or self._is_wider(known)

    def _is_wider(self, known: KnownTrace) -> bool:
        wanted = self.terms.visibility
        return wanted is not None and _WIDTH[wanted] > _WIDTH[known.visibility or "private"]

    async def _settled(self, entry: ChangedTrace, known: KnownTrace) -> TransferItem | None:
        """What becomes of a trace of which nothing is sent: alike, removed, or removed at the other side."""
        if entry.state not in _SERVED:
            return await self._removal(entry, known)
        if known.trace_id is None or known.state in _SERVED:
            return None
        if await self._back(entry, known):
            return self._item(entry, "restored", known.trace_id)
        if known.version_id == entry.version_id and {*entry.versions} <= {*known.versions}:
            return None
        detail = f"It is {known.state} at the other side: nothing brings it back but a restore there."
        return self._item(entry, "gone", known.trace_id, detail=detail)

    async def _send(self, moves: Sequence[_Move], progress: Progress) -> None:
        unread = [move for move in moves if move.history is None]
        found = await self.source.histories([move.entry.trace_id for move in unread])
        for move, history in zip(unread, found, strict=True):
            if isinstance(history, TraceHistory):
                move.history = history
            else:
                self._fail(move, history, progress)
        for move in moves:
            if move.history is not None and not self._is_as_shown(move):
                detail = "It is not what was shown: it changed meanwhile."
                self._fail(move, ConflictError(detail, "Push again, and look at it."), progress)
        ready = [move for move in moves if move.history is not None and self._is_as_shown(move)]
        deliveries = [self._delivery(move) for move in ready]
        results = await self._delivered(deliveries)
        for move, delivery, result in zip(ready, deliveries, results, strict=True):
            try:
                item = await self._arrived(move, delivery, result)
            except CommonTraceError as error:
                self._fail(move, error, progress)
            else:
                self._done(move, item, progress)

    def _is_as_shown(self, move: _Move) -> bool:
        sent = [one.version_id for one in move.versions if one.content is not None]
        return self.terms.shown is None or self.terms.shown.issuperset(sent)

    async def _delivered(self, deliveries: Sequence[Delivery]) -> list[DeliveryResult | CommonTraceError]:
        try:
            return await self.target.deliver_all(deliveries)
        except (InternalError, TooLargeError) as error:
            if len(deliveries) == 1:
                return [error]
        # One of them is more than the other side can take: the others go without it.
        return [(await self._delivered([one]))[0] for one in deliveries]

    def _delivery(self, move: _Move) -> Delivery:
        assert move.history is not None
        wanted = self.terms.visibility or move.history.visibility
        return Delivery.of(
            versions=move.versions,
            serves=move.history.version_id,
            visibility="private" if wanted == "private" else "team",
            origin="imported" if self.imports and wanted != "private" else "contributed",
            insist=self.terms.insist or self.direction == "pull",
            dry_run=self.terms.dry_run,
            note=f"{'Pulled from' if self.direction == 'pull' else 'Pushed to'} {self.name}.",
        )

    async def _arrived(
        self, move: _Move, delivery: Delivery, result: DeliveryResult | CommonTraceError
    ) -> TransferItem:
        if isinstance(result, CommonTraceError):
            raise result
        said = list(result.notes)
        if self.terms.visibility and result.trace_id and not self.terms.dry_run:
            said += await self._widened(result.trace_id, move.known)
        sent = [one for one in delivery.versions if one.content is not None]
        return self._item(
            move.entry,
            "updated" if self._is_wider(move.known) and result.action == "kept" else result.action,
            result.trace_id or move.known.trace_id,
            detail=" ".join([_SAID.get(result.action, ""), *said]).strip(),
            visibility=self.terms.visibility or delivery.visibility,
            versions=sent if self.terms.dry_run else [],
            bytes=len(delivery.model_dump_json(exclude_defaults=True).encode()),
        )

    async def _widened(self, trace_id: str, known: KnownTrace) -> list[str]:
        wanted = self.terms.visibility
        now = known.visibility or ("private" if wanted == "private" else "team")
        if wanted is None or _WIDTH[wanted] <= _WIDTH[now]:
            return []
        said = await self.target.widen(trace_id, wanted)
        return [said] if said else []

    async def _removal(self, entry: ChangedTrace, known: KnownTrace) -> TransferItem | None:
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
            await self.target.remove(known.trace_id, entry.state, detail)
        return self._item(entry, "removed", known.trace_id, detail=detail)

    async def _back(self, entry: ChangedTrace, known: KnownTrace) -> bool:
        """Whether a trace was removed here for it was removed there, and is served there again."""
        if self.direction != "pull" or known.trace_id is None:
            return False
        link = self.memory.links(self.name, [known.trace_id]).get(known.trace_id)
        if link is None or not link.removed or link.remote_id != entry.trace_id:
            return False
        if not self.terms.dry_run:
            await self.target.restore(known.trace_id)
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


def _chunks(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + MOST_TOGETHER] for start in range(0, len(items), MOST_TOGETHER)]


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
