"""The tasks of other processes, kept up to date by what those tell, and by a look at Redis from time to time."""

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final

from grok_app.logs import get_logger
from grok_app.shared import Shared, SharedAwayError
from grok_app.tasks.mirror import Mirror, State, read_news, read_outcome, read_state
from grok_app.tasks.teller import CHANNEL, FORGOTTEN_S, Teller, hash_of, log_of, seen_of

log = get_logger(__name__)
BEAT_S: Final = 5.0
"""How often a process says that it is there, and looks at what stands in Redis."""
GONE_S: Final = 15.0
"""A process that has not said so for so long has ended."""
_AGAIN_S: Final = 1.0
_AT_LEAST_S: Final = 0.05
"""Between two looks."""
_AT_ONCE: Final = 1000
"""Outcomes in one call."""
_LOOK: Final = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
for _, id in ipairs(redis.call('HKEYS', KEYS[2])) do
  redis.call('EXPIRE', ARGV[4] .. id, ARGV[2])
end
local found = {}
local seen = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for place = 1, #seen, 2 do
  local is_there = now - seen[place + 1] < tonumber(ARGV[3])
  found[#found + 1] = {seen[place], is_there and 1 or 0, redis.call('HVALS', ARGV[5] .. seen[place])}
end
return found
"""
"""Say that this process is there, keep what it told from expiring, and read what all have told."""
_READ: Final = "return redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2])"


class Others:
    """The tasks that other processes run.

    Args:
        shared: The Redis.
        me: This process.
        teller: Is told what stands in Redis of this process's own tasks.
        now_ms: The clock.
        fetch_result: Gets the result of such a task.
    """

    def __init__(
        self, shared: Shared, me: str, teller: Teller, now_ms: Callable[[], int], fetch_result: Callable[[Mirror], Any]
    ) -> None:
        self._shared = shared
        self._me = me
        self._teller = teller
        self._now_ms = now_ms
        self._fetch_result = fetch_result
        self._look = shared.script(_LOOK)
        self._read = shared.script(_READ)
        self._mirrors: dict[str, Mirror] = {}
        self._is_due = asyncio.Event()
        self._is_due.set()
        self._steady_since_s: float | None = None
        self._one_look = asyncio.Lock()
        shared.on_message(CHANNEL, self._hear)
        shared.on_connect(self._begin_anew)

    def all(self) -> list[Mirror]:
        """What is known, in no order."""
        return list(self._mirrors.values())

    def get(self, task_id: str) -> Mirror | None:
        """The task with this id, if it is known."""
        return self._mirrors.get(task_id)

    async def keep_looking(self) -> None:
        """Keep up until cancelled."""
        pause_s = BEAT_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._is_due.wait()
            self._is_due.clear()
            pause_s = _AGAIN_S
            try:
                await self.look()
                pause_s = BEAT_S
            except SharedAwayError:
                pass  # was logged where it was found
            except Exception:  # one bad look must not end all later ones
                log.exception("the tasks of other processes could not be read, trying again")
            await asyncio.sleep(_AT_LEAST_S)

    async def look(self) -> None:
        """Say that this process is there, and catch up with the others.

        Raises:
            SharedAwayError: Redis is away; what was known stays.
        """
        async with self._one_look:
            known = set(self._mirrors)
            alive, gone = await self._states()
            for state in alive:
                await self._follow(state)
            for state in gone:
                if state.id not in self._mirrors:
                    await self._follow(state)
            self._judge(known, {state.id for state in alive}, {state.id for state in gone})

    async def _states(self) -> tuple[list[State], list[State]]:
        """What processes have told that are there, and what those have that are gone; of this one nothing."""
        keys = [seen_of(self._shared), hash_of(self._shared, self._me)]
        prefixes = [log_of(self._shared, ""), hash_of(self._shared, "")]
        try:
            found = await self._look(keys, [self._me, FORGOTTEN_S, GONE_S, *prefixes])
        except SharedAwayError:
            self._steady_since_s = None
            raise
        self._steady_since_s = self._steady_since_s or time.monotonic()
        alive: list[State] = []
        gone: list[State] = []
        for owner, is_there, written in found:
            states = [read_state(state) for state in written]
            if owner == self._me.encode():
                await self._teller.compare(states)
            else:
                (alive if is_there else gone).extend(states)
        return alive, gone

    async def _follow(self, state: State) -> None:
        """Catch up with a task. One that was not known is shown when everything is known of it."""
        mirror = self._mirrors.get(state.id) or Mirror(state, self._fetch_result)
        while True:
            first, outcomes = mirror.count, []
            if first < state.count:
                read = await self._read([log_of(self._shared, state.id)], [first, first + _AT_ONCE - 1])
                outcomes = [read_outcome(outcome) for outcome in read]
            mirror.take(first, state, outcomes)
            if not outcomes:
                break
        self._mirrors.setdefault(state.id, mirror)

    def _judge(self, known: Collection[str], alive: Collection[str], gone: Collection[str]) -> None:
        """Let go of what its process has forgotten; a task that is not over, and that nobody has any more, is lost.

        After Redis was away, or lost what it had, every process gets the time to say that it is there.
        """
        is_steady = self._steady_since_s is not None and time.monotonic() - self._steady_since_s >= GONE_S
        for task_id in known:
            mirror = self._mirrors[task_id]
            if mirror.is_over and task_id not in alive and task_id not in gone:
                del self._mirrors[task_id]
            elif not mirror.is_over and task_id not in alive and is_steady:
                log.warning("a task has ended with its process", task_id=task_id, kind=mirror.kind)
                mirror.lose(self._now_ms())

    def _hear(self, message: bytes) -> None:
        owner, _, written = message.partition(b" ")
        if owner == self._me.encode():
            return
        first, state, outcomes = read_news(written)
        mirror = self._mirrors.get(state.id)
        if mirror is None and first == 0:
            mirror = self._mirrors[state.id] = Mirror(state, self._fetch_result)
        if mirror is None or not mirror.take(first, state, outcomes):
            self._is_due.set()

    async def _begin_anew(self) -> None:
        self._steady_since_s = None
        self._is_due.set()
