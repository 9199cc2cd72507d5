"""One answer on its way to one browser tab: gathers events, so that the tab hears of them in batches."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from grok_app.chat import Event, Text, Thought
from grok_app.errors import GatewayError

_EVERY_S: Final = 0.06
"""Shortest time between two updates: faster than reading, slower than the tokens."""
_CHARS_PER_EXTRA_S: Final = 200_000
"""Long answers are sent less often, since Reflex sends the whole text each time."""
_HEARTBEAT_S: Final = 1.0


class Answering:
    """The text so far of an answer that is being read.

    Reads from the moment `updates` is first awaited until the answer ends, fails or is stopped; the stream is
    closed in every case.
    """

    def __init__(self, events: AsyncGenerator[Event, None]) -> None:
        self._events = events
        self._thinking: list[str] = []
        self._answer: list[str] = []
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._is_over = False
        self.is_stopped = False
        self.error = ""
        """What the gateway said, when it failed."""

    @property
    def thinking(self) -> str:
        """The reasoning so far."""
        return "".join(self._thinking)

    @property
    def answer(self) -> str:
        """The answer so far."""
        return "".join(self._answer)

    def stop(self) -> None:
        """End it here. What has been read stays."""
        self.is_stopped = True
        if self._reader:
            self._reader.cancel()

    async def updates(self) -> AsyncGenerator[None, None]:
        """Yield when there is something new, not too often, and at least once a second until the end.

        The last update always shows the whole answer. Consume under `aclosing`.
        """
        if self.is_stopped:
            await self._events.aclose()
            yield
            return
        self._reader = asyncio.create_task(self._read())
        try:
            while not self._is_over:
                await self._wait_for_news()
                yield
                await asyncio.sleep(self._pause_s())
            yield
        finally:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        if not self._reader.cancelled():
            self._reader.result()  # a bug in reading is not swallowed

    async def _read(self) -> None:
        try:
            async with aclosing(self._events):
                async for event in self._events:
                    self._take(event)
        except GatewayError as error:
            self.error = error.message
        finally:
            self._is_over = True
            self._news.set()

    def _take(self, event: Event) -> None:
        match event:
            case Thought():
                self._thinking.append(event.text)
            case Text():
                self._answer.append(event.text)
            case _:
                return
        self._news.set()

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(_HEARTBEAT_S):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    def _pause_s(self) -> float:
        if self._is_over:
            return 0
        return _EVERY_S + sum(map(len, (*self._answer, *self._thinking))) / _CHARS_PER_EXTRA_S
