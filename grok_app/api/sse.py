"""Server-sent events as they come: one write per event, a comment in long silences, an end when the client goes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, ClassVar, Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from grok_app.api.errors import STOPPING, error_response
from grok_app.api.request_scope import IS_HEAD
from grok_app.api.until import disconnected, until
from grok_app.errors import GatewayError
from grok_app.logs import get_logger
from grok_app.stopping import SERVER_STOPS
from grok_app.trace import current_trace, note_failure

log = get_logger(__name__)
KEEP_ALIVE_S: Final = 15.0
DONE: Final = b"data: [DONE]\n\n"


def stream_of(description: str) -> dict[str, Any]:
    """The OpenAPI description of server-sent events; `itemSchema` is OpenAPI 3.2's, and FastAPI's own."""
    fields = {name: {"type": "string"} for name in ("event", "data")}
    return {"text/event-stream": {"itemSchema": {"type": "object", "properties": fields, "description": description}}}


class LastEvent(bytes):
    """An event after which a stream ends: both leave in one write."""


STALLED_S: Final = 60.0
"""A client that takes nothing for so long has gone, whatever its connection says."""
_GOODBYE_S: Final = 1.0
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """Sends what a generator yields.

    The head is sent with the first event, or after the first long silence; a GatewayError before that is an HTTP
    error, one after it goes through `on_error`. A client that goes away, or reads no more, closes the generator.

    Args:
        events: Whole events, in bytes.
        on_error: The bytes that end a stream after an error.
        comment: What is said in a long silence.
        stopped: Ends the stream when it is set.
        farewell: The bytes that are said then.
    """

    media_type = "text/event-stream"
    _is_endless: ClassVar[bool] = False

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        on_error: Callable[[GatewayError], bytes],
        *,
        comment: str = "keep-alive",
        stopped: asyncio.Event | None = None,
        farewell: bytes = b"",
    ) -> None:
        super().__init__()
        self._events = events
        self._on_error = on_error
        self._comment = f": {comment}\n\n".encode()
        self._stopped = stopped
        self._farewell = farewell
        self._has_started = False
        self._has_ended = False
        self._writing = asyncio.Lock()
        self._sent_at = 0.0
        self._clock_s: Callable[[], float] = time.monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream. Returns when it has ended or the client has gone; a HEAD starts nothing."""
        self._clock_s = asyncio.get_running_loop().time
        self._sent_at = self._clock_s()
        if scope.get(IS_HEAD):
            await self._write(send, b"", is_last=True)
            return
        trace = current_trace.get()
        if trace:
            trace.is_stream = True
        stopping = scope.get(SERVER_STOPS) if self._is_endless else None
        ends = [event.wait() for event in (self._stopped, stopping) if event]
        try:
            comments = _Comments(partial(self._write, send, self._comment), self._silent_s)
            try:
                await until(self._send_all(scope, receive, send), disconnected(receive), comments.stalled, *ends)
            finally:
                comments.end()
            if trace and not self._has_ended and not self._is_endless:
                trace.leave()
            if self._stopped and self._stopped.is_set():
                await self._say_goodbye(send, self._farewell)
            elif stopping and stopping.is_set():
                await self._say_goodbye(send, self._on_error(STOPPING))
        except asyncio.CancelledError:
            note_failure(STOPPING)
            if self._has_started:
                await self._say_goodbye(send, self._on_error(STOPPING))
            raise

    async def _send_all(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come, and what ends them."""
        error: GatewayError | None = None
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    await self._write(send, event, is_last=isinstance(event, LastEvent))
        except GatewayError as failure:
            error = failure
        except Exception:  # a bug must not cut a stream without a word
            if not self._has_started:
                raise
            log.exception("stream crashed")
            error = GatewayError("Internal server error")
        if error is not None:
            note_failure(error)
        async with self._writing:  # a comment may be writing the head just now
            if error is not None and not self._has_started:
                self._has_ended = True
                await error_response(error)(scope, receive, send)
        await self._write(send, self._on_error(error) if error else b"", is_last=True)

    async def _say_goodbye(self, send: Send, words: bytes) -> None:
        """End the stream before its own end; a client that doesn't read is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._write(send, words, is_last=True)

    async def _write(self, send: Send, data: bytes, *, is_last: bool = False) -> None:
        self._sent_at = self._clock_s()
        await self._writing.acquire()  # the keep-alive writes too: nothing before the head, nothing after the end
        try:
            if self._has_ended:
                return
            if not self._has_started:
                await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
                self._has_started = True
            self._has_ended = is_last
            await send({"type": "http.response.body", "body": data, "more_body": not is_last})
        finally:
            self._writing.release()

    def _silent_s(self) -> float:
        return self._clock_s() - self._sent_at


class EndlessStream(EventStream):
    """A stream without an end of its own. It ends when the server stops, which waits for other answers under way."""

    _is_endless = True


class _Comments:
    """Says something in the long silences of a stream.

    One timer for all of it, set anew when it fires, and a task only where there is something to say.

    Attributes:
        stalled: Done when the client takes nothing any more.
    """

    def __init__(self, write: Callable[[], Awaitable[None]], silent_s: Callable[[], float]) -> None:
        self._write, self._silent_s = write, silent_s
        self._loop = asyncio.get_running_loop()
        self._saying: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(KEEP_ALIVE_S, self._look)
        self.stalled: asyncio.Future[None] = self._loop.create_future()

    def end(self) -> None:
        """Say nothing more."""
        self._timer.cancel()
        if self._saying:
            self._saying.cancel()

    def _look(self) -> None:
        left_s = KEEP_ALIVE_S - self._silent_s()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
        else:
            self._saying = self._loop.create_task(self._say())
            self._saying.add_done_callback(self._go_on)

    async def _say(self) -> None:
        if self._silent_s() < KEEP_ALIVE_S:
            return  # an event came in the same moment
        async with asyncio.timeout(STALLED_S):
            await self._write()

    def _go_on(self, said: "asyncio.Task[None]") -> None:
        if said.cancelled() or self.stalled.done():
            return
        if (error := said.exception()) is None:
            self._timer = self._loop.call_later(KEEP_ALIVE_S, self._look)
            return
        if isinstance(error, TimeoutError):
            log.info("a client that reads no more was left")
        self.stalled.set_result(None)
