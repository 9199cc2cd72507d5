"""Redis as this project uses it: scripts that are atomic, messages to every process, and an honest "it is away".

With Redis away a call fails at once, but for one trial a second, so that nobody waits for a server that isn't there.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from grok_app.logs import get_logger

log = get_logger(__name__)
ResultT = TypeVar("ResultT")
Arguments = Sequence[str | bytes | int | float]
Handler = Callable[[bytes], None]
_LIMIT_S: Final = 3.0
"""Longest wait for one answer. Redis in the same network takes less than a millisecond, but our own loop, or a machine
that is short of everything, may need a second to see it."""
_PAUSE_S: Final = 1.0
"""Between two trials of a server that is away."""
_SILENCE_S: Final = 5.0
"""After so long without a message the connection is asked whether it is alive."""
_CONNECTIONS: Final = 32
"""At once; a call takes less than a millisecond, so that more would only queue in Redis instead of here."""
_AWAY: Final = (RedisError, OSError, TimeoutError)


class SharedAwayError(Exception):
    """Redis can't be reached, or doesn't answer in time. What was asked may have been done or not."""


class Shared:
    """A part of one Redis that the processes of one installation have to themselves.

    Not for a cluster: scripts touch keys that they make names of.

    Args:
        redis: The server.
        name: The installation: its processes say the same, others something else.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self.name = name
        self._prefix = f"grok_app:{name}:"
        self._is_away = False
        self._tries_again_at_s = 0.0
        self._handlers: dict[bytes, Handler] = {}
        self._catch_ups: list[Callable[[], Awaitable[None]]] = []

    @property
    def is_away(self) -> bool:
        """Whether the last call failed."""
        return self._is_away

    def key(self, *parts: str | int) -> str:
        """The full name of a key or a channel."""
        return self._prefix + ":".join(map(str, parts))

    def script(self, source: str) -> "Script":
        """A Lua script: whatever it does is done in one step."""
        return Script(self, source)

    async def call(self, work: Callable[[Redis], Awaitable[ResultT]]) -> ResultT:
        """Do something with the server.

        Raises:
            SharedAwayError: It is away.
        """
        if self._is_away:
            if time.monotonic() < self._tries_again_at_s:
                raise SharedAwayError("Redis is away")
            self._tries_again_at_s = time.monotonic() + _PAUSE_S  # this one tries, others don't wait for it
        try:
            async with asyncio.timeout(_LIMIT_S):
                result = await work(self._redis)
        except _AWAY as error:
            self._note_away(error)
            raise SharedAwayError("Redis is away") from error
        self._note_back()
        return result

    async def ping(self) -> None:
        """Make sure that the server answers.

        Raises:
            SharedAwayError: It doesn't.
        """
        await self.call(lambda redis: redis.get(self.key("ping")))

    async def tell(self, channel: str, message: bytes | str) -> None:
        """Send a message to every process that listens now, this one included.

        Raises:
            SharedAwayError: The server is away; nobody was told.
        """
        await self.call(lambda redis: redis.publish(self.key(channel), message))

    def on_message(self, channel: str, handle: Handler) -> None:
        """Have this function called with every message on this channel; one function for each."""
        self._handlers[self.key(channel).encode()] = handle

    def on_connect(self, catch_up: Callable[[], Awaitable[None]]) -> None:
        """Have this called whenever listening begins anew, since messages may have been missed until then.

        Whoever comes while it goes on looks for itself first.
        """
        self._catch_ups.append(catch_up)

    async def keep_listening(self) -> None:
        """Hand messages on until cancelled; when the connection breaks, begin anew."""
        while True:
            try:
                await self._listen()
            except (*_AWAY, SharedAwayError) as error:
                self._note_away(error)
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as messages:
            await messages.psubscribe(self.key("*"))
            for catch_up in self._catch_ups:
                await catch_up()
            is_asked = False
            while True:
                message = await messages.get_message(timeout=_SILENCE_S)
                if message is None and is_asked:
                    raise TimeoutError("Redis says nothing")
                if is_asked := message is None:
                    await messages.ping()
                elif handle := self._handlers.get(message["channel"] or b""):
                    self._hand_on(handle, message["data"])

    def _hand_on(self, handle: Handler, data: bytes) -> None:
        try:
            handle(data)
        except Exception:  # one odd message must not keep all later ones from being heard
            log.exception("a message of another process could not be read")

    def _note_away(self, error: BaseException) -> None:
        self._tries_again_at_s = time.monotonic() + _PAUSE_S
        if not self._is_away:
            self._is_away = True
            log.warning("Redis is away: going on with what is known here", reason=f"{type(error).__name__}: {error}")

    def _note_back(self) -> None:
        if self._is_away:
            self._is_away = False
            log.warning("Redis is back")


class Script:
    """A Lua script of one installation. It may use any key that `Shared.key` names.

    Args:
        shared: Where it runs.
        source: In Lua; `KEYS` and `ARGV` as Redis has them.
    """

    def __init__(self, shared: Shared, source: str) -> None:
        self._shared = shared
        self._script = shared._redis.register_script(source)

    async def __call__(self, keys: Sequence[str], arguments: Arguments = ()) -> Any:
        """Run it: what it returns, texts as bytes.

        Raises:
            SharedAwayError: The server is away; it may have run or not.
        """
        return await self._shared.call(lambda _: self._script(keys=keys, args=arguments))


@asynccontextmanager
async def open_shared(url: str, name: str) -> AsyncGenerator[Shared | None, None]:
    """What this process shares with others while the block runs; None without a URL: it is alone.

    Opens even with the server away, which is found when it comes.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.
        name: The installation.
    """
    if not url:
        yield None
        return
    retry = Retry(NoBackoff(), 1)  # a connection that was kept open may have been closed by the server
    pool = BlockingConnectionPool.from_url(
        url, max_connections=_CONNECTIONS, timeout=None, socket_connect_timeout=_LIMIT_S, retry=retry
    )
    redis = Redis(connection_pool=pool)
    shared = Shared(redis, name)
    listening = asyncio.create_task(shared.keep_listening())
    try:
        yield shared
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        with suppress(*_AWAY):
            await pool.aclose()
