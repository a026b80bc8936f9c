"""Bodies redacted before anything of them is hashed, whoever sent them; large ones beside the event loop."""

import asyncio
from typing import Any, TypeVar

from fastapi import Depends

from commontrace.models.contexts import Redactable
from commontrace.safety.bodies import is_large, redacted_body

R = TypeVar("R", bound=Redactable)


async def safe(body: R) -> R:
    """A body without secrets, unless its sender wants them kept."""
    return await asyncio.to_thread(redacted_body, body) if is_large(body) else redacted_body(body)


def redacted(kind: type[Redactable]) -> Any:
    """What a route asks for instead of a body, to get it without secrets."""

    async def dependency(body: Any) -> Any:
        return await safe(body)

    dependency.__annotations__["body"] = kind
    return Depends(dependency)
