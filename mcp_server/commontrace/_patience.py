"""How long to wait for a remote that says it has too much to do, and who is told."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final

LOG: Final = logging.getLogger("commontrace.remotes")
"""Says each wait at the level INFO."""

_PASSING: Final = frozenset({429, 503})
_LONGEST: Final = 60
"""Seconds: whoever asks for more is asked again by hand."""

_TRIES: Final = 10


class Patience:
    """What is waited for one request.

    Args:
        name: the remote's name; empty for no patience at all.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = _TRIES if name else 0

    def seconds(self, status: int, headers: Mapping[str, str]) -> int | None:
        """How long to wait, as told by Retry-After in seconds, before asking again; None: take the answer as it is.

        Args:
            status: of the answer.
            headers: of the answer, found by names in any letters.
        """
        told = headers.get("Retry-After", "")
        if status not in _PASSING or not self._left or not told.isdecimal() or int(told) > _LONGEST:
            return None
        self._left -= 1
        LOG.info("%s has too much to do; asking again in %s s", self._name, told)
        return int(told)


async def async_pause(seconds: float) -> None:
    """Wait."""
    await asyncio.sleep(seconds)


def sync_pause(seconds: float) -> None:
    """The same for callers that block."""
    time.sleep(seconds)
