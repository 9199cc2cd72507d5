"""Tells other processes of the tasks of this one: at once when nothing was told lately, else together."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from grok_app.logs import get_logger
from grok_app.shared import Shared, SharedAwayError
from grok_app.tasks.mirror import State, state_of, write_news, write_outcome, write_state
from grok_app.tasks.task import Task

log = get_logger(__name__)
CHANNEL: Final = "task"
FORGOTTEN_S: Final = 300
"""What was told stays in Redis for so long after the process that told it."""
_TOGETHER_S: Final = 0.05
_AGAIN_S: Final = 1.0
_AT_ONCE: Final = 1000
"""Outcomes in one call. Lua takes a few thousand arguments."""
_NEVER: Final = -1
_PUBLISH: Final = """
local log_length = redis.call('LLEN', KEYS[2])
if log_length ~= tonumber(ARGV[2]) then
  return -1 - log_length
end
local now = redis.call('TIME')
redis.call('ZADD', KEYS[3], now[1] + now[2] / 1000000, ARGV[7])
redis.call('EXPIRE', KEYS[3], ARGV[4])
if #ARGV > 7 then
  redis.call('RPUSH', KEYS[2], unpack(ARGV, 8))
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])
return log_length + #ARGV - 7
"""
"""Append outcomes, unless others stand there than the process thinks; then say how many do. Who tells is there."""
_FORGET: Final = """
for place = 2, #KEYS do
  redis.call('DEL', KEYS[place])
  redis.call('HDEL', KEYS[1], ARGV[place - 1])
end
"""


class Teller:
    """Puts the tasks of this process into Redis, and tells what changes.

    Args:
        shared: The Redis.
        me: This process.
        own: Gives its tasks by id, those that it still knows.
    """

    def __init__(self, shared: Shared, me: str, own: Callable[[], Mapping[str, Task]]) -> None:
        self._shared = shared
        self._me = me
        self._own = own
        self._publish = shared.script(_PUBLISH)
        self._forget = shared.script(_FORGET)
        self._news = asyncio.Event()
        self._changed: dict[str, Task] = {}
        self._versions: dict[str, int] = {}
        self._lengths: dict[str, int] = {}
        self._one_at_a_time = asyncio.Lock()

    def note(self, task: Task) -> None:
        """Have the others told of this change soon."""
        self._changed[task.id] = task
        self._news.set()

    async def keep_telling(self) -> None:
        """Tell what changes until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.tell_all()
            except SharedAwayError:
                self._news.set()
                await asyncio.sleep(_AGAIN_S)
            await asyncio.sleep(_TOGETHER_S)

    async def tell_all(self) -> None:
        """Tell everything that was noted.

        Raises:
            SharedAwayError: Redis is away; what is left stays noted.
        """
        for task in list(self._changed.values()):
            try:
                await self.tell(task)
            except SharedAwayError:
                raise
            except Exception:  # one task that can't be told must not keep the others from it
                log.exception("a task can't be told to other processes", task_id=task.id, kind=task.kind)
                del self._changed[task.id]

    async def tell(self, task: Task) -> None:
        """Return when other processes can know of the task what is known now.

        Raises:
            SharedAwayError: Redis is away.
        """
        version = task.version
        async with self._one_at_a_time:
            while self._versions.get(task.id, _NEVER) < version:
                await self._send(task)
            if self._versions.get(task.id) == task.version:
                self._changed.pop(task.id, None)

    async def compare(self, states: Iterable[State]) -> None:
        """Tell anew what Redis has lost of the tasks of this process, and remove what has been forgotten here.

        Args:
            states: What stands there.

        Raises:
            SharedAwayError: Redis is away.
        """
        there = {state.id: state.version for state in states}
        own = self._own()
        for task in own.values():
            if there.get(task.id) != self._versions.get(task.id):
                self._versions[task.id] = _NEVER
                self.note(task)
        for told in (self._versions, self._lengths):
            for task_id in told.keys() - own.keys() - self._changed.keys():
                del told[task_id]
        if gone := there.keys() - own.keys():
            await self._remove(gone)

    async def _send(self, task: Task) -> None:
        first, state = self._lengths.get(task.id, 0), state_of(task, self._me)
        outcomes = [write_outcome(outcome) for outcome in task.outcomes(first, _AT_ONCE)]
        written = write_state(state)
        news = b"%b %b" % (self._me.encode(), write_news(first, written, outcomes))
        length = await self._publish(
            [hash_of(self._shared, self._me), log_of(self._shared, task.id), seen_of(self._shared)],
            [task.id, first, written, FORGOTTEN_S, self._shared.key(CHANNEL), news, self._me, *outcomes],
        )
        self._lengths[task.id] = length if length >= 0 else -1 - length
        if length == state.count:
            self._versions[task.id] = state.version

    async def _remove(self, task_ids: Collection[str]) -> None:
        logs = [log_of(self._shared, task_id) for task_id in task_ids]
        await self._forget([hash_of(self._shared, self._me), *logs], list(task_ids))


def seen_of(shared: Shared) -> str:
    """The key of the processes that have been there lately: a sorted set, by Redis's time in seconds."""
    return shared.key("tasks", "seen")


def hash_of(shared: Shared, owner: str) -> str:
    """The key under which the tasks of a process stand: a hash of states by ids."""
    return shared.key("tasks", "of", owner)


def log_of(shared: Shared, task_id: str) -> str:
    """The key of a task's outcomes: a list in the order of finishing."""
    return shared.key("tasks", "log", task_id)
