"""Tags: what traces are filed under."""

from commontrace._sync.http import Http
from commontrace.models.tags import TagCount


class Tags:
    """The tags in use: `client.tags`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def list(self, prefix: str = "", limit: int | None = 100) -> list[TagCount]:
        """Tags with how many visible traces carry them, most used first; a `limit` of None gives all of them."""
        return self._http.listed("/api/v1/tags", TagCount, query={"prefix": prefix}, limit=limit)
