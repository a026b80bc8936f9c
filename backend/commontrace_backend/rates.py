"""How much a key, its organization and its lineage may ask in a while: token buckets, and what an answer says of them.

A bucket holds at most `most` tokens and gains as many in `seconds`; a request takes one from each of three, or none.
What carries the work of many takes as many, as soon as there is one: the bucket then owes the others, and no request is
too large for a small one.
Headers as of the IETF's draft-ietf-httpapi-ratelimit-headers. Buckets live in this process: the protocol is all that
several servers with one shared store of buckets have to agree on.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from commontrace.errors import RateLimitedError
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.settings import BackendSettings

Kind = Literal["reads", "writes", "votes", "keys"]

_MINUTE: Final = 60
_HOUR: Final = 3600
_SWEPT_FROM: Final = 10_000
"""Buckets from which on those that are full again are forgotten: a full bucket is the same as none."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What one bucket allows.

    Attributes:
        name: what it counts and for whom, such as `writes-organization`.
        most: tokens when it is full, at least 1.
        seconds: in which an empty one is full again.
    """

    name: str
    most: int
    seconds: int

    @property
    def policy(self) -> str:
        """The value of the header RateLimit-Policy."""
        return f'"{self.name}";q={self.most};w={self.seconds}'


@dataclass(frozen=True, slots=True)
class Level:
    """What the bucket that is nearest to empty holds after a request, or before one that it refuses.

    Attributes:
        quota: of that bucket.
        left: whole tokens, 0 where it is empty.
        wait: seconds until there is a token, 0 where the request was not refused.
    """

    quota: Quota
    left: int
    wait: float


class Buckets(Protocol):
    """A store of buckets, each known by whose it is and its quota's name."""

    async def take(self, wanted: Sequence[tuple[str, Quota]], cost: int = 1, least: int = 1) -> Level:
        """Take `cost` tokens from every one of these buckets; from none where any has less than `least`."""
        ...


class InProcessBuckets:
    """Buckets in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[tuple[str, Quota], tuple[float, float]] = {}

    async def take(self, wanted: Sequence[tuple[str, Quota]], cost: int = 1, least: int = 1) -> Level:
        """Take `cost` tokens from every one of these buckets; from none where any has less than `least`."""
        now = self._clock()
        tokens = {bucket: self._tokens(bucket, now) for bucket in wanted}
        bucket, lowest = min(tokens.items(), key=lambda item: item[1] / item[0][1].most)
        if min(tokens.values()) < least:
            bucket, lowest = min(tokens.items(), key=lambda item: item[1])
            quota = bucket[1]
            return Level(quota, 0, (1 - lowest) * quota.seconds / quota.most)
        self._held |= {one: (held - cost, now) for one, held in tokens.items()}
        if len(self._held) > _SWEPT_FROM:
            self._held = {one: kept for one, kept in self._held.items() if self._tokens(one, now) < one[1].most}
        return Level(bucket[1], max(0, int(lowest - cost)), 0)

    def _tokens(self, bucket: tuple[str, Quota], now: float) -> float:
        quota = bucket[1]
        held, since = self._held.get(bucket, (quota.most, now))
        return min(quota.most, held + (now - since) * quota.most / quota.seconds)


class Meter:
    """Charges callers for what they do, by the settings of the server."""

    def __init__(self, settings: BackendSettings, buckets: Buckets) -> None:
        self._buckets = buckets
        self._factor = settings.rate_group_factor
        self._of_a_key: dict[Kind, tuple[int, int]] = {
            "reads": (settings.rate_reads, _MINUTE),
            "writes": (settings.rate_writes, _MINUTE),
            "votes": (settings.rate_votes, _MINUTE),
            "keys": (settings.rate_keys, _HOUR),
        }

    async def charge(self, caller: Caller, kind: Kind, cost: int = 1, *, least: int = 1) -> dict[str, str]:
        """Take what a request costs; returns the headers that say what is left.

        The owner of a local store pays nothing.

        Args:
            caller: who pays.
            kind: what for.
            cost: how many requests' worth it is.
            least: tokens that must be there; 0 for what comes with a request that has paid one already.

        Raises:
            RateLimitedError: a bucket of the key, the organization or the lineage is empty.
        """
        most, seconds = self._of_a_key[kind]
        if not caller.key_id or not most:
            return {}
        groups = (("organization", caller.tenant_id), ("lineage", caller.lineage_id))
        wanted = [
            (caller.key_id, Quota(f"{kind}-key", most, seconds)),
            *((who, Quota(f"{kind}-{group}", most * self._factor, seconds)) for group, who in groups),
        ]
        level = await self._buckets.take(wanted, cost, least)
        if level.wait:
            raise _refused(level)
        return {"RateLimit-Policy": level.quota.policy, "RateLimit": _standing(level, 0)}


def _refused(level: Level) -> RateLimitedError:
    seconds = max(1, math.ceil(level.wait))
    kind, _, whose = level.quota.name.partition("-")
    return RateLimitedError(
        f"This {whose} made all the {kind} that it may for now: {level.quota.most} in {level.quota.seconds} s.",
        f"Try again in {seconds} s; an admin can raise COMMONTRACE_RATE_{kind.upper()}.",
        {
            "retry_after": seconds,
            "quota": level.quota.name,
            "policy": level.quota.policy,
            "standing": _standing(level, seconds),
        },
    )


def _standing(level: Level, seconds: int) -> str:
    return f'"{level.quota.name}";r={level.left};t={seconds}'
