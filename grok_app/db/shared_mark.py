"""The mark of a notice in Redis, for the processes of an installation on whatever machines."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count
from secrets import token_hex
from typing import Final

from grok_app.db.notice import Then
from grok_app.logs import get_logger
from grok_app.shared import Shared, SharedAwayError

log = get_logger(__name__)
_LOOK_S: Final = 1.0
"""A message may be lost: so often is asked without one."""
_PAUSE_S: Final = 0.2
"""Between two trials to tell others while Redis is away."""
_LAST_TRIALS_S: Final = 5.0
"""How long a process that ends tries to tell what it hasn't told yet."""
_REPLACE: Final = """
local before = redis.call('GETSET', KEYS[1], ARGV[1])
redis.call('PUBLISH', KEYS[2], '')
return before
"""


class SharedMark:
    """A word in Redis that is replaced with every change, and a message that makes everybody look at it.

    What was seen last is kept here, so that reading it asks nobody. Words don't come again, and so a change is one also
    after Redis has lost the last of them. While Redis is away, changes wait to be told.

    Args:
        shared: Where the word is.
        name: What the notice is about.
    """

    def __init__(self, shared: Shared, name: str) -> None:
        self.name = name
        self._shared = shared
        self._key, self._channel = shared.key("notice", name), shared.key("notice", name, "news")
        self._replace = shared.script(_REPLACE)
        self._word: bytes | None = None
        self._words = (f"{prefix}-{number}".encode() for prefix in [token_hex(8)] for number in count(1))
        self._untold: deque[Then] = deque()
        self._has_news = asyncio.Event()
        shared.on_message(f"notice:{name}:news", lambda _: self._has_news.set())

    def read(self) -> bytes | None:
        """The word that was seen last; None when there was none, or Redis was away ever since."""
        return self._word

    def replace(self, then: Then) -> None:
        """Have the word replaced at once, or when Redis is back. Another `read` is heard of then."""
        self._untold.append(then)
        self._has_news.set()

    async def look(self) -> None:
        """Tell what is to be told, and see what others have told.

        Raises:
            SharedAwayError: Redis is away; what was not told yet still waits.
        """
        while self._untold:
            word = next(self._words)
            before = await self._replace([self._key, self._channel], [word])
            self._word = word
            self._untold.popleft()(before, word)
        self._word = await self._shared.call(lambda redis: redis.get(self._key))

    async def keep_looking(self) -> None:
        """Look with every message, and every second, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._has_news.wait()
            self._has_news.clear()
            try:
                await self.look()
            except SharedAwayError:  # which is logged where it is found
                await asyncio.sleep(_PAUSE_S)
                if self._untold:
                    self._has_news.set()

    async def tell_the_rest(self) -> None:
        """Tell what is to be told before the process ends; what can't be is logged."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_TRIALS_S):
                while self._untold:
                    try:
                        await self.look()
                    except SharedAwayError:
                        await asyncio.sleep(_PAUSE_S)
        if self._untold:
            log.error("other processes can't be told of a change: Redis is away", notice=self.name)


@asynccontextmanager
async def open_shared_mark(shared: Shared, name: str) -> AsyncGenerator[SharedMark, None]:
    """A mark that is kept up to date while the block runs; nothing is left untold if Redis is there.

    Args:
        shared: Where the word is.
        name: What the notice is about.
    """
    mark = SharedMark(shared, name)
    with suppress(SharedAwayError):  # it is looked at again soon
        await mark.look()
    looking = asyncio.create_task(mark.keep_looking())
    try:
        yield mark
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await mark.tell_the_rest()
