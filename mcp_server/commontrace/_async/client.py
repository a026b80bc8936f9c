"""The client: one attribute per concept."""

from types import TracebackType
from typing import Self

from commontrace._async.contexts import AsyncContexts
from commontrace._async.contributors import AsyncContributors
from commontrace._async.exchange import AsyncExchange
from commontrace._async.http import AsyncHttp
from commontrace._async.jobs import AsyncJobs
from commontrace._async.log import AsyncLog
from commontrace._async.remotes import AsyncRemotes
from commontrace._async.reviews import AsyncReviews
from commontrace._async.tags import AsyncTags
from commontrace._async.traces import AsyncTraces
from commontrace._async.vouches import AsyncVouches
from commontrace._transport import is_remote
from commontrace.settings import Settings


class AsyncClient:
    """A connection to a CommonTrace backend.

    Attributes:
        traces: shared, voted knowledge.
        contexts: versioned context windows.
        tags: what traces are filed under.
        contributors: who acts, and their keys.
        jobs: the work that the store does by itself.
        log: the proof that nothing was changed behind everybody's back.
        reviews: what awaits a decision of an admin.
        vouches: whom public standing counts.
        exchange: traces by the ids of their versions, for whoever copies them.
        remotes: other stores, and what moves between them and this one.
    """

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http
        self.traces = AsyncTraces(http)
        self.contexts = AsyncContexts(http)
        self.tags = AsyncTags(http)
        self.contributors = AsyncContributors(http)
        self.jobs = AsyncJobs(http)
        self.log = AsyncLog(http)
        self.reviews = AsyncReviews(http)
        self.vouches = AsyncVouches(http)
        self.exchange = AsyncExchange(http)
        self.remotes = AsyncRemotes(self)

    def acting_as(self, api_key: str, working_copy: str = "") -> Self:
        """The same connection for another caller; closing either closes both."""
        return type(self)(self._http.acting_as(api_key, working_copy))

    @property
    def url(self) -> str:
        """The backend's URL."""
        return self._http.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, and the backend where it runs in this process."""
        await self._http.aclose()


def connect_async(
    url: str | None = None,
    *,
    api_key: str | None = None,
    working_copy: str | None = None,
    timeout: float | None = None,
) -> AsyncClient:
    """A client for the backend at `url`; what is left out comes from the environment and the config file.

    Args:
        url: `sqlite:///path` or `postgresql://…` runs the backend in this process, `https://host` reaches a server.
        api_key: the key to act with; a local store lets its owner in without one. An empty one is nobody's:
            only `acting_as` can then do anything.
        working_copy: whose HEAD context operations move.
        timeout: seconds to wait for an answer.

    Raises:
        InvalidInputError: the URL is of no known kind, or a setting has a wrong value.
    """
    settings = Settings.given(url=url, working_copy=working_copy, timeout=timeout)
    # A key in the environment is for a server; a local store knows its owner.
    configured = settings.api_key.get_secret_value() if settings.api_key and is_remote(settings.url) else None
    return AsyncClient(
        AsyncHttp.open(
            settings.url,
            api_key=configured if api_key is None else api_key,
            working_copy=settings.working_copy,
            timeout=settings.timeout,
            owner=api_key is None,
        )
    )
