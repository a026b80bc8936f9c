"""One request: encode, send, parse, or raise our error."""

from collections.abc import Mapping
from typing import Self, TypeVar

import httpx2
from pydantic import BaseModel

from commontrace import _wire
from commontrace._patience import Patience, async_pause
from commontrace._transport import async_transport, base_url, without_password
from commontrace.errors import InvalidInputError, UnavailableError
from commontrace.models.base import MOST_ITEMS, Page

T = TypeVar("T")


class AsyncHttp:
    """A connection to a backend, seen by one caller; shared by the concepts of a client."""

    def __init__(self, url: str, client: httpx2.AsyncClient, *, api_key: str | None, working_copy: str) -> None:
        self.url = url
        self._client = client
        self._remote = ""
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if working_copy:
            self._headers["CommonTrace-Working-Copy"] = _visible(working_copy, "working copy")
        if api_key:
            self._headers["Authorization"] = f"Bearer {_visible(api_key, 'API key')}"

    @classmethod
    def open(cls, url: str, *, api_key: str | None, working_copy: str, timeout: float, owner: bool) -> Self:
        """Connect to a backend; `owner` lets a local store's owner in without a key."""
        client = httpx2.AsyncClient(
            base_url=base_url(url),
            timeout=timeout,
            transport=async_transport(url, timeout, owner=owner),
            trust_env=False,
        )
        return cls(url, client, api_key=api_key, working_copy=working_copy)

    def acting_as(self, api_key: str, working_copy: str) -> Self:
        """The same connection for another caller."""
        return type(self)(self.url, self._client, api_key=api_key, working_copy=working_copy)

    def be_patient(self, remote: str) -> None:
        """Wait as told and ask again where the backend, known as `remote`, has too much to do."""
        self._remote = remote

    async def call(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Mapping[str, object] | None = None,
        body: BaseModel | bytes | None = None,
    ) -> T:
        """Send a request and return its answer as `answer`; `None` in `query` is left out.

        Raises:
            CommonTraceError: the class that the backend raised.
            UnavailableError: the backend could not be reached in time.
        """
        content = _wire.encode(body)
        patience = Patience(self._remote)
        response = await self._sent(method, path, query, content)
        while (seconds := patience.seconds(response.status_code, response.headers)) is not None:
            await async_pause(seconds)
            response = await self._sent(method, path, query, content)
        if response.is_error:
            raise _wire.problem(response.status_code, response.content)
        return _wire.parse(answer, response.content)

    async def listed(
        self, path: str, item: type[T], *, query: Mapping[str, object] | None = None, limit: int | None = None
    ) -> list[T]:
        """The items of a list, page by page, or the first `limit` of them; raises as `call` does."""
        found: list[T] = []
        cursor: str | None = None
        while True:
            size = MOST_ITEMS if limit is None else min(MOST_ITEMS, limit - len(found))
            asked = {**(query or {}), "cursor": cursor, "limit": size}
            page: Page[T] = await self.call("GET", path, Page[item], query=asked)  # type: ignore[valid-type] # a class at run time
            found += page.items
            cursor = page.next_cursor
            if cursor is None or len(found) == limit:
                return found

    async def _sent(
        self, method: str, path: str, query: Mapping[str, object] | None, content: bytes | None
    ) -> httpx2.Response:
        try:
            return await self._client.request(
                method, path, params=_wire.query_of(query), content=content, headers=self._headers
            )
        except httpx2.TimeoutException as error:
            raise UnavailableError(
                f"{without_password(self.url)} did not answer in time.",
                "Try again; a longer COMMONTRACE_TIMEOUT waits longer.",
            ) from error
        except httpx2.HTTPError as error:
            raise _wire.unreachable(without_password(self.url), error, self._remote) from error

    async def aclose(self) -> None:
        """Close the connection, and the backend where it runs in this process."""
        await self._client.aclose()


def _visible(value: str, name: str) -> str:
    """A value that a header can carry."""
    if not (value.isascii() and value.isprintable()):
        raise InvalidInputError(f"This {name} holds characters that none has.", "Use visible ASCII characters only.")
    return value
