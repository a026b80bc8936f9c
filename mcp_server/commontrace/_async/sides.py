"""Where traces come from and go to: a store or server, behind the same words as a folder."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from commontrace._async.exchange import must_be_fit_to_leave
from commontrace.errors import CommonTraceError
from commontrace.models.syncing import Changes, Delivery, DeliveryResult, KnownTrace, TraceHistory
from commontrace.models.traces import Visibility
from commontrace.remotes.folder import Folder

if TYPE_CHECKING:
    from commontrace._async.client import AsyncClient

T = TypeVar("T")
Given = TypeVar("Given")


class AsyncSide(Protocol):
    """A store, a server or a folder: where traces come from or go to."""

    async def changes(self, cursor: int = 0) -> Changes:
        """What changed since a cursor."""
        ...

    async def known(self, traces: Sequence[Sequence[str]]) -> list[KnownTrace]:
        """What is there of traces, by the ids of their versions."""
        ...

    async def histories(self, trace_ids: Sequence[str]) -> list[TraceHistory | CommonTraceError]:
        """Traces with all their versions; in the place of one that cannot be had the error."""
        ...

    async def deliver_all(self, deliveries: Sequence[Delivery]) -> list[DeliveryResult | CommonTraceError]:
        """Take traces in, each by itself; in the place of one that was refused the error."""
        ...

    async def remove(self, trace_id: str, state: str, reason: str) -> None:
        """Withdraw or purge a trace."""
        ...

    async def restore(self, trace_id: str) -> None:
        """Bring a withdrawn trace back."""
        ...

    async def widen(self, trace_id: str, visibility: Visibility) -> str:
        """Show a trace to more people; says where that waits for an approval."""
        ...


class AsyncStoreSide:
    """A store or a server, by a client of it."""

    def __init__(self, client: "AsyncClient") -> None:
        self._client = client

    async def changes(self, cursor: int = 0) -> Changes:
        """What changed since a cursor."""
        return await self._client.exchange.changes(cursor)

    async def known(self, traces: Sequence[Sequence[str]]) -> list[KnownTrace]:
        """What is there of traces, by the ids of their versions."""
        return await self._client.exchange.known(traces)

    async def histories(self, trace_ids: Sequence[str]) -> list[TraceHistory | CommonTraceError]:
        """Traces with all their versions."""
        return await self._client.exchange.histories(trace_ids)

    async def deliver_all(self, deliveries: Sequence[Delivery]) -> list[DeliveryResult | CommonTraceError]:
        """Take traces in."""
        return await self._client.exchange.deliver_all(deliveries)

    async def remove(self, trace_id: str, state: str, reason: str) -> None:
        """Withdraw or purge a trace."""
        if state == "purged":
            await self._client.traces.purge(trace_id, reason)
        else:
            await self._client.traces.withdraw(trace_id, reason)

    async def restore(self, trace_id: str) -> None:
        """Bring a withdrawn trace back."""
        await self._client.traces.restore(trace_id)

    async def widen(self, trace_id: str, visibility: Visibility) -> str:
        """Show a trace to more people; says where that waits for an approval."""
        if visibility == "private":
            return ""
        done = await self._client.traces.publish(trace_id, visibility)
        return f"An admin there must approve before it is {visibility}." if done.pending else ""


class AsyncFolderSide:
    """A folder with one file a trace."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def changes(self, cursor: int = 0) -> Changes:
        """Traces by the names of their files, all of them each time: files say nothing of when they changed."""
        return self._folder.changes(cursor)

    async def known(self, traces: Sequence[Sequence[str]]) -> list[KnownTrace]:
        """What is there of traces, by the ids of their versions."""
        return self._folder.known(traces)

    async def histories(self, trace_ids: Sequence[str]) -> list[TraceHistory | CommonTraceError]:
        """Traces with all their versions."""
        return [_tried(self._folder.history, one) for one in trace_ids]

    async def deliver_all(self, deliveries: Sequence[Delivery]) -> list[DeliveryResult | CommonTraceError]:
        """Write the files of traces; a secret is refused, for git never forgets it."""
        return [_tried(self._deliver, one) for one in deliveries]

    def _deliver(self, delivery: Delivery) -> DeliveryResult:
        for version in delivery.versions:
            must_be_fit_to_leave(version)
        return self._folder.deliver(delivery)

    async def remove(self, trace_id: str, state: str, reason: str) -> None:
        """Write down that a trace was removed."""
        self._folder.remove(trace_id, state, reason)

    async def restore(self, trace_id: str) -> None:
        """Nothing: a trace that was removed has no words any more."""

    async def widen(self, trace_id: str, visibility: Visibility) -> str:
        """Nothing: whoever reads the folder reads all of it."""
        del trace_id, visibility
        return ""


def _tried(work: Callable[[Given], T], given: Given) -> T | CommonTraceError:
    """What came of it, or the error."""
    try:
        return work(given)
    except CommonTraceError as error:
        return error
