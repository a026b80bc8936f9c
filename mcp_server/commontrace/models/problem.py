"""An error on the wire: RFC 9457 problem details."""

from typing import Any

from pydantic import Field

from commontrace.models.base import Record


class Problem(Record):
    """What failed and what to do next; `code` names the class in `commontrace.errors`."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    hint: str = ""
    extra: dict[str, Any] = {}
    request_id: str = Field(default="", description="Of the request that failed; the server's log has it too.")
