"""The client: one attribute per concept."""

from types import TracebackType
from typing import Self

from commontrace._sync.contexts import Contexts
from commontrace._sync.contributors import Contributors
from commontrace._sync.exchange import Exchange
from commontrace._sync.http import Http
from commontrace._sync.jobs import Jobs
from commontrace._sync.log import Log
from commontrace._sync.remotes import Remotes
from commontrace._sync.reviews import Reviews
from commontrace._sync.tags import Tags
from commontrace._sync.traces import Traces
from commontrace._sync.vouches import Vouches
from commontrace._transport import is_remote
from commontrace.settings import Settings


class Client:
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

    def __init__(self, http: Http) -> None:
        self._http = http
        self.traces = Traces(http)
        self.contexts = Contexts(http)
        self.tags = Tags(http)
        self.contributors = Contributors(http)
        self.jobs = Jobs(http)
        self.log = Log(http)
        self.reviews = Reviews(http)
        self.vouches = Vouches(http)
        self.exchange = Exchange(http)
        self.remotes = Remotes(self)

    def acting_as(self, api_key: str, working_copy: str = "") -> Self:
        """The same connection for another caller; closing either closes both."""
        return type(self)(self._http.acting_as(api_key, working_copy))

    @property
    def url(self) -> str:
        """The backend's URL."""
        return self._http.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and the backend where it runs in this process."""
        self._http.close()


def connect(
    url: str | None = None,
    *,
    api_key: str | None = None,
    working_copy: str | None = None,
    timeout: float | None = None,
) -> Client:
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
    return Client(
        Http.open(
            settings.url,
            api_key=configured if api_key is None else api_key,
            working_copy=settings.working_copy,
            timeout=settings.timeout,
            owner=api_key is None,
        )
    )
