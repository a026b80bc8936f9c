"""Token buckets that every process of a store takes from, kept in Redis."""

from collections.abc import Sequence
from typing import Final

from commontrace_backend.rates import Buckets, Level, Quota
from commontrace_backend.shared.link import PREFIX, AwayError, Link

# Takes from all buckets or from none, by the clock of Redis: the processes' own may differ. A bucket is a string,
# "tokens microseconds", and is forgotten once it is full. Behind the buckets' sizes stand the cost and the least that
# each must hold. Answers with the place of the bucket that is nearest to empty and its tokens: what was left before,
# where it refuses.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held, least, emptiest = {}, nil, 1
local cost, required = tonumber(ARGV[#KEYS * 2 + 1]), tonumber(ARGV[#KEYS * 2 + 2])
local refused = false
for place, key in ipairs(KEYS) do
  local most, seconds = tonumber(ARGV[place * 2 - 1]), tonumber(ARGV[place * 2])
  local tokens, kept = most, redis.call('GET', key)
  if kept then
    local had, since = string.match(kept, '(%S+) (%S+)')
    tokens = math.min(most, had + math.max(0, now - since) * most / (seconds * 1000000))
  end
  held[place] = tokens
  refused = refused or tokens < required
  if tokens < held[emptiest] then emptiest = place end
  if not least or tokens / most < least.share then least = {place = place, share = tokens / most} end
end
if refused then return {emptiest, 1, string.format('%.17g', held[emptiest])} end
for place, key in ipairs(KEYS) do
  local most, seconds, tokens = ARGV[place * 2 - 1], ARGV[place * 2], held[place] - cost
  local full = math.ceil((most - tokens) * seconds * 1000 / most)
  redis.call('SET', key, string.format('%.17g %.0f', tokens, now), 'PX', full)
end
return {least.place, 0, string.format('%.17g', held[least.place])}
"""


class SharedBuckets:
    """Buckets in Redis; while that is away those of this process, which begin full.

    Args:
        link: to Redis.
        here: the buckets of this process.
    """

    def __init__(self, link: Link, here: Buckets) -> None:
        self._link = link
        self._here = here
        self._take = link.redis.register_script(_TAKE)

    async def take(self, wanted: Sequence[tuple[str, Quota]], cost: int = 1, least: int = 1) -> Level:
        """Take `cost` tokens from every one of these buckets; from none where any has less than `least`."""
        keys = [f"{PREFIX}bucket:{whose}:{quota.name}:{quota.most}:{quota.seconds}" for whose, quota in wanted]
        sizes = [size for _, quota in wanted for size in (quota.most, quota.seconds)]
        try:
            place, refused, tokens = await self._link.call(lambda _: self._take(keys, [*sizes, cost, least]))
        except AwayError:
            return await self._here.take(wanted, cost, least)
        quota = wanted[place - 1][1]
        if refused:
            return Level(quota, 0, (1 - float(tokens)) * quota.seconds / quota.most)
        return Level(quota, max(0, int(float(tokens) - cost)), 0)
