"""What stores say to each other when knowledge moves between them."""

from collections.abc import Sequence
from typing import TypeVar

from commontrace import _wire
from commontrace._async.http import AsyncHttp
from commontrace._transport import is_remote
from commontrace.errors import BackendError, CommonTraceError, InvalidInputError
from commontrace.models.syncing import (
    MOST_BYTES,
    MOST_SEEN,
    MOST_TOGETHER,
    Changes,
    DeliveredTrace,
    Deliveries,
    Delivery,
    DeliveryResult,
    FetchedTrace,
    KnownTrace,
    Look,
    TraceHistory,
    TravelVersion,
    WantedTraces,
)

T = TypeVar("T")

_SYNC = "/api/v1/sync"


class AsyncExchange:
    """Traces by the ids of their versions: `client.exchange`. `client.remotes` does whole pushes and pulls with it."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def changes(self, cursor: int = 0, *, limit: int = MOST_SEEN) -> Changes:
        """Up to 200 traces that changed since `cursor`, in the order of their last change; of removed ones the ids."""
        return await self._http.call("GET", f"{_SYNC}/changes", Changes, query={"cursor": cursor, "limit": limit})

    async def known(self, traces: Sequence[Sequence[str]]) -> list[KnownTrace]:
        """What is there of up to 200 traces, each given by the ids of its versions, oldest first."""
        if not traces:
            return []
        body = Look.of(traces=[list(versions) for versions in traces])
        return await self._http.call("POST", f"{_SYNC}/known", list[KnownTrace], body=body)

    async def history(self, trace_id: str) -> TraceHistory:
        """Every version of a trace with what it came after, oldest first; raises NotFoundError."""
        return await self._http.call("GET", f"/api/v1/traces/{trace_id}/history", TraceHistory)

    async def histories(self, trace_ids: Sequence[str]) -> list[TraceHistory | CommonTraceError]:
        """The histories of any number of traces, up to 32 a request; of one that is not there the error."""
        found: list[TraceHistory | CommonTraceError] = []
        while len(found) < len(trace_ids):
            body = WantedTraces.of(trace_ids=list(trace_ids[len(found) : len(found) + MOST_TOGETHER]))
            some = await self._http.call("POST", f"{_SYNC}/histories", list[FetchedTrace], body=body)
            found += [_answer(one.history, one) for one in _some(some)]
        return found

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Bring a trace as another store has it. Bringing it again changes nothing.

        Raises:
            InvalidInputError: a version is not what its id says, or holds a secret by the rules of today.
            NearDuplicateError: it is new there and much like one that is there; `insist` adds it all the same.
        """
        if is_remote(self._http.url):
            for version in delivery.versions:
                must_be_fit_to_leave(version)
        return await self._http.call("POST", f"{_SYNC}/traces", DeliveryResult, body=delivery)

    async def deliver_all(self, deliveries: Sequence[Delivery]) -> list[DeliveryResult | CommonTraceError]:
        """Bring any number of traces, up to 32 or 256 KiB a request, each there or not by itself.

        Returns:
            For each what came of it, or the error that `deliver` would have raised. Where the connection breaks off,
            bringing all of them again does no harm.
        """
        results: dict[int, DeliveryResult | CommonTraceError] = {}
        if is_remote(self._http.url):
            results = {place: error for place, one in enumerate(deliveries) if (error := _kept_back(one))}
        waiting = [place for place in range(len(deliveries)) if place not in results]
        while waiting:
            body = _together([deliveries[place] for place in waiting[:MOST_TOGETHER]])
            some = _some(await self._http.call("POST", f"{_SYNC}/deliveries", list[DeliveredTrace], body=body))
            results.update(zip(waiting, (_answer(one.result, one) for one in some), strict=False))
            waiting = waiting[len(some) :]
        return [results[place] for place in range(len(deliveries))]


def _some(answers: list[T]) -> list[T]:
    """Answers, of which there is at least one: else nobody would get any further."""
    if not answers:
        raise BackendError("The server said nothing of the traces that it was asked about.", "Update the server.")
    return answers


def _answer(found: T | None, one: FetchedTrace | DeliveredTrace) -> T | CommonTraceError:
    if found is not None:
        return found
    return _wire.raised(one.problem) if one.problem else BackendError("The server said nothing of a trace.")


def _together(deliveries: Sequence[Delivery]) -> Deliveries:
    """As many of these, from the first one on, as go in one request."""
    size, chosen = 0, 0
    for one in deliveries:
        size += len(one.model_dump_json(exclude_defaults=True))
        if chosen and size > MOST_BYTES:
            break
        chosen += 1
    return Deliveries.of(deliveries=list(deliveries[:chosen]))


def _kept_back(delivery: Delivery) -> InvalidInputError | None:
    """Why a trace may not leave the machine."""
    try:
        for version in delivery.versions:
            must_be_fit_to_leave(version)
    except InvalidInputError as error:
        return error
    return None


def must_be_fit_to_leave(version: TravelVersion) -> None:
    """Raise InvalidInputError for words that may not leave the machine: without them the id would not stand for it."""
    from commontrace.safety.leaving import Leaving

    leaving = Leaving(far=True)
    if version.content is not None and leaving.safe(version.content) != version.content:
        kinds = ", ".join(sorted({kind for _, kind in leaving.redactions})) or "hidden characters"
        raise InvalidInputError(
            f"The version {version.version_id[:10]} holds what may not leave this machine: {kinds}. Nothing was sent.",
            "Amend it without that, and purge what leaked.",
        )
