"""The connection to Redis or Valkey: quick or not at all, and it says once when that changes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeVar

from commontrace.errors import InvalidInputError
from commontrace_backend.reporting import report

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

PREFIX: Final = "commontrace:"
"""What every key of ours begins with; those of the queue begin with `arq:`."""

_SECONDS: Final = 1.0  # that an answer may take: a request has another way, and waits no longer for the quick one
_PAUSE: Final = 1.0  # seconds from a failure until one request tries again; the others do not wait in vain
_CONNECTIONS: Final = 8  # of a process: each is busy for a fraction of a millisecond


class AwayError(Exception):
    """Redis does not answer, not in time, or refuses; whoever asked takes the other way."""


class Link:
    """A pool of connections that fails fast.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with a password where there is one.

    Raises:
        InvalidInputError: the extra is not installed, or the URL is of no such kind.
    """

    def __init__(self, url: str) -> None:
        self.redis = connect_redis(url, _SECONDS)
        self._away = ""
        self._again = 0.0

    @property
    def degraded(self) -> list[str]:
        """What does not work as it should, in sentences; empty where all does."""
        said = f"Redis is away ({self._away}): each process counts limits alone, and workers look for jobs."
        return [said] if self._away else []

    async def ping(self) -> None:
        """Ask whether it is there; raises AwayError."""
        self._again = 0.0
        await self.call(lambda redis: redis.ping())

    async def call(self, step: Callable[["Redis"], Awaitable[T]]) -> T:
        """Do something with Redis.

        Raises:
            AwayError: it failed, or something did a moment ago.
        """
        from redis.exceptions import RedisError

        if self._away:
            if time.monotonic() < self._again:
                raise AwayError(self._away)
            self._again = time.monotonic() + _SECONDS + _PAUSE
        try:
            async with asyncio.timeout(_SECONDS):
                done = await step(self.redis)
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
            raise AwayError(self._away) from error
        if self._away:
            self._away = ""
            report(logging.WARNING, "redis is back")
        return done

    def _failed(self, error: Exception) -> None:
        before, self._away = self._away, reason_of(error)
        self._again = time.monotonic() + _PAUSE
        if not before:
            report(logging.WARNING, "redis is away", reason=self._away)

    async def close(self) -> None:
        """Let go of connections."""
        await self.redis.aclose()


def connect_redis(url: str, seconds: float) -> "Redis":
    """A client that waits so many seconds for a connection, and for an answer; opens none yet.

    Raises:
        InvalidInputError: the extra is not installed, or the URL is of no such kind. It does not repeat the URL.
    """
    if not find_spec("redis"):
        raise InvalidInputError(
            "COMMONTRACE_REDIS_URL needs an extra that is not installed.", "Run pip install 'commontrace[server]'."
        )
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as LostError

    try:
        return Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=_CONNECTIONS,
                timeout=seconds,
                socket_timeout=seconds,
                socket_connect_timeout=seconds,
                # A connection from before a restart of Redis is made anew at its first use.
                retry=Retry(NoBackoff(), 1),
                retry_on_error=[LostError],
            )
        )
    except ValueError:
        raise InvalidInputError(
            "COMMONTRACE_REDIS_URL is not the URL of a Redis.",
            "Use redis://host:6379/0, rediss:// for TLS, or unix:///path/to/socket?db=0.",
        ) from None


def reason_of(error: Exception) -> str:
    """Why it failed in a few words, without address and password."""
    from redis.exceptions import AuthenticationError, OutOfMemoryError, RedisError, ResponseError
    from redis.exceptions import TimeoutError as SlowError

    # What the server says while a connection is made stands behind an error that says nothing.
    match error.__cause__ if isinstance(error.__cause__, RedisError) else error:
        case AuthenticationError():
            return "it refuses the password"
        case OutOfMemoryError():
            return "its memory is full"
        case SlowError() | TimeoutError():
            return "it takes too long"
        case ResponseError():
            return f"it answers {str(error).partition(' ')[0]}"
        case _:
            return "it cannot be reached"
