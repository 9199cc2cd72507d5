"""The orderly end of a server: answers under way may end, then are ended, then the services close."""

import asyncio
import os
import select
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

SERVER_STOPS: Final = "grok_app.stopping"
"""In the scope of a request: an event that is set when the server stops, for what has no end of its own. Missing where
another server serves."""
server_stops: ContextVar[asyncio.Event | None] = ContextVar("server_stops", default=None)
"""The same event, for those who serve the request and know nothing of its scope."""
GOODBYE_S: Final = 5.0
"""Answers that are ended get this long to say so, and to give back what they hold."""
_LINGER_S: Final = 2.0
"""Connections get this long to be closed after the last answer: what was said is still on its way."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


class Word:
    """Said once by the server, heard by all its workers: a byte in a pipe that they inherit and nobody reads."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()

    def say(self) -> None:
        """Tell every worker, now."""
        os.write(self._write_end, b".")

    def was_said(self) -> bool:
        """Whether it was."""
        return bool(select.select([self._read_end], [], [], 0)[0])

    def watch(self, callback: Callable[[], None]) -> None:
        """Call back once, in the running event loop, when it is said or was said before."""
        loop = asyncio.get_running_loop()

        def heard() -> None:
            loop.remove_reader(self._read_end)
            callback()

        loop.add_reader(self._read_end, heard)


class Drain:
    """What a server tells its workers at its end.

    Attributes:
        stop: It stops: answers under way may end within `grace_s` seconds.
        cut: They may no longer.
    """

    def __init__(self, grace_s: float) -> None:
        self.grace_s = grace_s
        self.stop, self.cut = Word(), Word()


class Draining:
    """An ASGI app that comes to its end when the server stops.

    New requests are refused. Those under way are cancelled when the grace time is over, and end with words of their
    own. Then the services close, whether or not all connections have: one client that reads no more, or has sent half
    a request, would keep the server from closing them until it kills the worker (granian 2.8.7).

    Args:
        app: What serves.
        drain: Says when.
        refuse: What serves requests that come too late.
    """

    def __init__(self, app: Asgi, drain: Drain, refuse: Asgi) -> None:
        self._app, self._drain, self._refuse = app, drain, refuse
        self._running: set[asyncio.Task[Any]] = set()
        self._is_cut = False
        self._stopping, self._over = asyncio.Event(), asyncio.Event()
        self._ending: asyncio.Task[None] | None = None  # kept, as a task must be

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass one connection on, and remember it while it lasts.

        What is to be awaited is given on: each token of a stream wakes all coroutines that wait in each other.
        """
        if scope["type"] == "lifespan":
            return self._live(scope, receive, send)
        if self._stopping.is_set():
            return self._refuse(scope, receive, send)
        return self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SERVER_STOPS] = self._stopping
        server_stops.set(self._stopping)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: a coroutine runs in a task
        self._running.add(task)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._is_cut:
                raise
            # Ours, and it has done its work: Granian would log a traceback for each.
        finally:
            self._running.discard(task)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the services, and close them when the server says so, or when there is nothing to wait for any more."""
        self._drain.stop.watch(self._stop)
        self._drain.cut.watch(self._cut)

        over = asyncio.ensure_future(self._over.wait())

        async def receive_or_end() -> Scope:
            return await received_before(over, receive) or {"type": "lifespan.shutdown"}

        await self._app(scope, receive_or_end, send)
        if over.done():
            asyncio.get_running_loop().call_soon(sys.exit)  # granian waits for connections that nobody serves

    def _stop(self) -> None:
        self._stopping.set()
        loop = asyncio.get_running_loop()
        loop.call_later(self._drain.grace_s, self._cut)
        self._ending = loop.create_task(self._end())

    def _cut(self) -> None:
        if self._is_cut:
            return  # a second cancellation would interrupt their last words
        self._stopping.set()
        self._is_cut = True
        for task in tuple(self._running):
            task.cancel("the server stops")

    async def _end(self) -> None:
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=self._drain.grace_s + GOODBYE_S)
        await asyncio.sleep(_LINGER_S)
        self._over.set()


async def received_before(end: "asyncio.Future[Any]", receive: Receive) -> Scope | None:
    """What is received; None once there is this end before it."""
    heard = asyncio.ensure_future(receive())
    try:
        await asyncio.wait((heard, end), return_when=asyncio.FIRST_COMPLETED)
        return heard.result() if heard.done() else None
    finally:
        heard.cancel()
