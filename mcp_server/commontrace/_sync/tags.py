"""Tags: what traces are filed under."""

from commontrace._sync.http import Http
from commontrace.models.tags import TagCount


class Tags:
    """The tags in use: `client.tags`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def list(self, prefix: str = "", limit: int = 100) -> list[TagCount]:
        """Tags with how many visible traces carry them, most used first."""
        return self._http.call("GET", "/api/v1/tags", list[TagCount], query={"prefix": prefix, "limit": limit})
