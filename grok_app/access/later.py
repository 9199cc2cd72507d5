"""What is told to Redis without anybody waiting for it."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from grok_app.logs import get_logger
from grok_app.shared import SharedAwayError

log = get_logger(__name__)
Errand = Callable[[], Awaitable[object]]


class Later:
    """Errands, done one after the other, and one more at intervals. What Redis is away for is dropped.

    Args:
        renew: What is done at intervals.
        every_s: How long they are.
    """

    def __init__(self, renew: Errand, every_s: float) -> None:
        self._renew = renew
        self._every_s = every_s
        self._errands: deque[Errand] = deque()
        self._is_wanted = asyncio.Event()

    def do(self, errand: Errand) -> None:
        """Have this done soon."""
        self._errands.append(errand)
        self._is_wanted.set()

    @asynccontextmanager
    async def going(self) -> AsyncGenerator[None, None]:
        """Do errands while the block runs, and what is left when it ends."""
        doing = asyncio.create_task(self._keep_going())
        try:
            yield
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            await self.do_all()

    async def do_all(self) -> None:
        """Do what is left."""
        while self._errands:
            try:
                await self._errands[0]()
            except SharedAwayError:
                pass  # what is held there runs out by itself
            except Exception:  # one that fails must not keep leases from being renewed
                log.exception("Redis could not be told")
            self._errands.popleft()

    async def _keep_going(self) -> None:
        clock_s = asyncio.get_running_loop().time
        renews_at_s = clock_s() + self._every_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(renews_at_s):
                    await self._is_wanted.wait()
            self._is_wanted.clear()
            if clock_s() >= renews_at_s:
                renews_at_s = clock_s() + self._every_s
                self._errands.append(self._renew)
            await self.do_all()
