"""Bodies redacted before they leave the machine, large ones beside the event loop."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel

from commontrace.models.contexts import Redactable
from commontrace.safety.bodies import is_large, redacted_body, with_redactions

B = TypeVar("B")
A = TypeVar("A")


async def async_redacted(body: B) -> B:
    """A body without secrets; what is no body of texts comes back as it is."""
    if not isinstance(body, Redactable):
        return body
    return await asyncio.to_thread(redacted_body, body) if is_large(body) else redacted_body(body)


def sync_redacted(body: B) -> B:
    """The same, for callers that block."""
    return redacted_body(body) if isinstance(body, Redactable) else body


def reported(answer: A, body: object) -> A:
    """An answer that also says what was redacted on this side."""
    if isinstance(body, Redactable) and isinstance(answer, BaseModel):
        return with_redactions(answer, body)
    return answer
