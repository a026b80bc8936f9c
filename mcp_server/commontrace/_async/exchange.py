"""What stores say to each other when knowledge moves between them."""

from collections.abc import Sequence

from commontrace._async.http import AsyncHttp
from commontrace._transport import is_remote
from commontrace.errors import InvalidInputError
from commontrace.models.syncing import (
    MOST_SEEN,
    Changes,
    Delivery,
    DeliveryResult,
    KnownTrace,
    Look,
    TraceHistory,
    TravelVersion,
)

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
