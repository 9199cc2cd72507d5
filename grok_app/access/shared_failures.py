"""Wrong keys that an address has shown to any process of an installation, counted in Redis."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from grok_app.access.shared_time import NOW, microseconds, moment
from grok_app.shared import Shared

FREE_FAILURES: Final = 5
"""Wrong keys in a row that cost nothing: people mistype."""
FIRST_WAIT_S: Final = 2
LONGEST_WAIT_S: Final = 60
"""Long enough for a guesser, and short for an operator who shares an address with one."""
FORGET_S: Final = 60 * 60
"""An address that doesn't try for this long starts anew."""
MOST_ADDRESSES: Final = 10_000


class Verdict(StrEnum):
    """On a key."""

    NONE = "none"
    """It wasn't looked at yet."""
    RIGHT = "right"
    WRONG = "wrong"


_JUDGE: Final = f"""{NOW}
local tried, failures, free_at = unpack(KEYS)
local verdict, site, most = ARGV[2], ARGV[3], tonumber(ARGV[4])
local forget, free = tonumber(ARGV[5]), tonumber(ARGV[6])
local first_wait, longest_wait = tonumber(ARGV[7]), tonumber(ARGV[8])

local function drop(sites)
  for _, gone in ipairs(sites) do
    redis.call('ZREM', tried, gone)
    redis.call('HDEL', failures, gone)
    redis.call('HDEL', free_at, gone)
  end
end

drop(redis.call('ZRANGEBYSCORE', tried, '-inf', now - forget))
local known = tonumber(redis.call('HGET', failures, site) or 0)
local left = 0
if known > 0 then
  left = math.max(0, redis.call('HGET', free_at, site) - now)
  redis.call('ZADD', tried, now, site)
end
if verdict == 'wrong' then
  known = known + 1
  local wait = known < free and 0 or math.min(first_wait * 2 ^ (known - free), longest_wait)
  redis.call('ZADD', tried, now, site)
  redis.call('HSET', failures, site, known)
  redis.call('HSET', free_at, site, now + wait)
  if redis.call('ZCARD', tried) > most then drop(redis.call('ZRANGE', tried, 0, 0)) end
elseif verdict == 'right' and left == 0 then
  drop({{site}})
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, math.ceil(forget / 1000)) end
return left
"""


class SharedFailures:
    """The records that `Throttle` keeps, for all processes together.

    Args:
        shared: Where they are.
        clock_s: The time; None: as Redis has it.
    """

    def __init__(self, shared: Shared, clock_s: Callable[[], float] | None = None) -> None:
        self._clock_s = clock_s
        self._keys = [shared.key("throttle", part) for part in ("tried", "failures", "free_at")]
        self._judge = shared.script(_JUDGE)

    async def judge(self, verdict: Verdict, site: str) -> float:
        """How many seconds this address must wait; and what becomes of its count, in one step.

        A wrong key is counted in any case; a right one clears the count, unless the address must wait.

        Raises:
            SharedAwayError: Redis is away.
        """
        times = (microseconds(time_s) for time_s in (FIRST_WAIT_S, LONGEST_WAIT_S))
        arguments = (
            moment(self._clock_s),
            verdict,
            site,
            MOST_ADDRESSES,
            microseconds(FORGET_S),
            FREE_FAILURES,
            *times,
        )
        return float(await self._judge(self._keys, arguments)) / 1_000_000
