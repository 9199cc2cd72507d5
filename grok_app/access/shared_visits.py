"""What callers ask of all processes of an installation together, by address or key, counted in Redis."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import Final

from grok_app.access.later import Later
from grok_app.access.shared_time import BATCH, LEASE_S, NOW, RENEW_S, microseconds, moment
from grok_app.shared import Shared

_ASK: Final = f"""{NOW}
local asked, most, window = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local first = redis.call('LINDEX', asked, 0)
while first and tonumber(first) <= now - window do
  redis.call('LPOP', asked)
  first = redis.call('LINDEX', asked, 0)
end
if redis.call('LLEN', asked) >= most then return redis.call('LINDEX', asked, -most) + window - now end
redis.call('RPUSH', asked, now)
redis.call('PEXPIRE', asked, math.ceil(window / 1000))
return 0
"""
_TAKE: Final = f"""{NOW}
local places, most, lease = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 5, #ARGV do redis.call('ZREM', places, ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', places, '-inf', now)
if redis.call('ZCARD', places) >= most then return 0 end
redis.call('ZADD', places, now + lease, ARGV[4])
redis.call('PEXPIRE', places, math.ceil(lease / 1000))
return 1
"""
_RENEW: Final = f"""{NOW}
local lease = tonumber(ARGV[2])
for i, places in ipairs(KEYS) do
  redis.call('ZADD', places, now + lease, ARGV[i + 2])
  redis.call('PEXPIRE', places, math.ceil(lease / 1000))
end
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One of those that an address has, as Redis knows it."""

    places: str
    """The key of them all."""
    id: str = field(default_factory=lambda: token_hex(8))


class SharedVisits:
    """Requests and places by address. A place belongs to its process by a lease, which is renewed.

    Args:
        shared: Where it is counted.
        clock_s: The time; None: as Redis has it.
    """

    def __init__(self, shared: Shared, clock_s: Callable[[], float] | None = None) -> None:
        self._shared = shared
        self._clock_s = clock_s
        self._ask, self._take, self._renew = (shared.script(source) for source in (_ASK, _TAKE, _RENEW))
        self._held: dict[str, Place] = {}
        self._left: defaultdict[str, set[str]] = defaultdict(set)
        self._later = Later(self.renew, RENEW_S)

    async def ask(self, site: str, most: int, window_s: float) -> float:
        """Count a request of this address, unless there are as many as it may have within a window.

        Returns:
            How many seconds it must wait before it may ask again; 0: it was counted.

        Raises:
            SharedAwayError: Redis is away.
        """
        arguments = (moment(self._clock_s), most, microseconds(window_s))
        return float(await self._ask([self._shared.key("asked", site)], arguments)) / 1_000_000

    @contextmanager
    def place(self, kind: str, site: str) -> Iterator[Place]:
        """A place of this kind that may be taken, and is given back with the block's end."""
        place = Place(self._shared.key(kind, site))
        self._held[place.id] = place
        try:
            yield place
        finally:
            del self._held[place.id]
            self._left[place.places].add(place.id)
            self._later.do(partial(self._give_back, place.places))

    async def take(self, place: Place, most: int) -> bool:
        """Take the place, unless the address has as many as it may; whether it was taken.

        Raises:
            SharedAwayError: Redis is away. The place is taken when it is back.
        """
        left = self._left.get(place.places, ())  # whoever has just left one may take the next
        arguments = (moment(self._clock_s), most, microseconds(LEASE_S), place.id, *left)
        return bool(await self._take([place.places], arguments))

    async def renew(self) -> None:
        """Hold what is held for another `LEASE_S`.

        Raises:
            SharedAwayError: Redis is away.
        """
        held = list(self._held.values())
        for start in range(0, len(held), BATCH):
            batch = held[start : start + BATCH]
            arguments = (moment(self._clock_s), microseconds(LEASE_S), *(place.id for place in batch))
            await self._renew([place.places for place in batch], arguments)

    async def _give_back(self, places: str) -> None:
        if left := self._left.pop(places, None):
            await self._shared.call(lambda redis: redis.zrem(places, *left))

    @asynccontextmanager
    async def going(self) -> AsyncGenerator[None, None]:
        """Renew and give back while the block runs."""
        async with self._later.going():
            yield


@asynccontextmanager
async def open_visits(shared: Shared | None) -> AsyncGenerator[SharedVisits | None, None]:
    """What is counted together, kept up while the block runs; None where nothing is shared."""
    if shared is None:
        yield None
        return
    visits = SharedVisits(shared)
    async with visits.going():
        yield visits
