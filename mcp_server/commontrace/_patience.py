"""How long to wait for a remote that says it has too much to do, and who is told."""

import asyncio
import logging
import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LOG: Final = logging.getLogger("commontrace.remotes")
"""Says each wait at the level INFO."""

_PASSING: Final = frozenset({429, 503})
_LONGEST: Final = 60
"""Seconds: whoever asks for more is asked again by hand."""

_TRIES: Final = 10
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def wait_told(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as Retry-After says (RFC 9110, section 10.2.3); None where it says nothing that can be read.

    A date is compared with the one of the answer, by the same clock; this machine's may be another.

    Args:
        headers: of an answer, found by names in any letters.
    """
    told = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(told):
        return float(told)
    until = _moment(told)
    if until is None:
        return None
    now = _moment(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Patience:
    """What is waited for one request.

    Args:
        name: the remote's name; empty for no patience at all.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = _TRIES if name else 0

    def seconds(self, status: int, headers: Mapping[str, str]) -> int | None:
        """How long to wait, as told by Retry-After, before asking again; None: take the answer as it is.

        Args:
            status: of the answer.
            headers: of the answer, found by names in any letters.
        """
        told = wait_told(headers)
        if status not in _PASSING or not self._left or told is None or told > _LONGEST:
            return None
        self._left -= 1
        seconds = math.ceil(told)
        LOG.info("%s has too much to do; asking again in %s s", self._name, seconds)
        return seconds


async def async_pause(seconds: float) -> None:
    """Wait."""
    await asyncio.sleep(seconds)


def sync_pause(seconds: float) -> None:
    """The same for callers that block."""
    time.sleep(seconds)
