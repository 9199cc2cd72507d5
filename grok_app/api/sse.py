"""Server-sent events as they come: one write per event, a comment in long silences, an end when the client goes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import ClassVar, Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from grok_app.api.errors import STOPPING, error_response
from grok_app.api.request_scope import IS_HEAD
from grok_app.api.until import disconnected, until
from grok_app.errors import GatewayError
from grok_app.logs import get_logger
from grok_app.trace import current_trace, note_failure

log = get_logger(__name__)
KEEP_ALIVE_S: Final = 15.0
DONE: Final = b"data: [DONE]\n\n"
STALLED_S: Final = 60.0
"""A client that takes nothing for so long has gone, whatever its connection says."""
_GOODBYE_S: Final = 1.0
SERVER_STOPS: Final = "grok_app.stopping"
"""See `grok_app.server`, which is above us; missing where another server serves."""
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
        if scope.get(IS_HEAD):
            await self._write(send, b"", is_last=True)
            return
        trace = current_trace.get()
        if trace:
            trace.is_stream = True
        stopping = scope.get(SERVER_STOPS) if self._is_endless else None
        ends = [event.wait() for event in (self._stopped, stopping) if event]
        try:
            await until(self._send_all(scope, receive, send), disconnected(receive), self._keep_alive(send), *ends)
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
        error = await self._forward(send)
        if error is not None:
            note_failure(error)
        async with self._writing:  # a comment may be writing the head just now
            if error is not None and not self._has_started:
                self._has_ended = True
                await error_response(error)(scope, receive, send)
        await self._write(send, self._on_error(error) if error else b"", is_last=True)

    async def _forward(self, send: Send) -> GatewayError | None:
        """Send the events as they come; returns the error that ended them, if one did."""
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    await self._write(send, event)
        except GatewayError as error:
            return error
        except Exception:  # a bug must not cut a stream without a word
            if not self._has_started:
                raise
            log.exception("stream crashed")
            return GatewayError("Internal server error")
        return None

    async def _say_goodbye(self, send: Send, words: bytes) -> None:
        """End the stream before its own end; a client that doesn't read is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._write(send, words, is_last=True)

    async def _write(self, send: Send, data: bytes, *, is_last: bool = False) -> None:
        self._sent_at = self._clock_s()
        async with self._writing:  # the keep-alive writes too: nothing before the head, nothing after the end
            if self._has_ended:
                return
            if not self._has_started:
                await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
                self._has_started = True
            self._has_ended = is_last
            await send({"type": "http.response.body", "body": data, "more_body": not is_last})

    async def _keep_alive(self, send: Send) -> None:
        """Say something in long silences. Returns when the client takes nothing any more."""
        self._sent_at = self._clock_s()
        while True:
            silent_s = self._clock_s() - self._sent_at
            if silent_s >= KEEP_ALIVE_S:
                try:
                    async with asyncio.timeout(STALLED_S):
                        await self._write(send, self._comment)
                except TimeoutError:
                    log.info("a client that reads no more was left")
                    return
                silent_s = 0.0
            await asyncio.sleep(KEEP_ALIVE_S - silent_s)


class EndlessStream(EventStream):
    """A stream without an end of its own. It ends when the server stops, which waits for other answers under way."""

    _is_endless = True
