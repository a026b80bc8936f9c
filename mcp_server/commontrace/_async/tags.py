"""Tags: what traces are filed under."""

from commontrace._async.http import AsyncHttp
from commontrace.models.tags import TagCount


class AsyncTags:
    """The tags in use: `client.tags`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def list(self, prefix: str = "", limit: int | None = 100) -> list[TagCount]:
        """Tags with how many visible traces carry them, most used first; a `limit` of None gives all of them."""
        return await self._http.listed("/api/v1/tags", TagCount, query={"prefix": prefix}, limit=limit)
