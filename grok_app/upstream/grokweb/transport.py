"""HTTP towards Grok over curl's multi interface: shared connections, a browser's TLS, and an end the moment we ask.

curl_cffi's `AsyncSession` is not used for streams: closing one waits for the transfer's own end (read in 0.16.3,
2026-11-23), while taking the handle out of the multi interface closes the connection at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from curl_cffi import AsyncCurl, Curl, CurlOpt
from curl_cffi.curl import CURL_WRITEFUNC_PAUSE, CURLPAUSE_CONT

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.call import Call, failure, prepare

_BUFFER_LIMIT_BYTES: Final = 1 << 20
"""More than this unread, and curl is told to stop reading until the reader has caught up."""
_IDLE_HANDLES: Final = 64


class Response:
    """An answer whose head has arrived; its body is read as it comes."""

    def __init__(self, transfer: "_Transfer") -> None:
        self._transfer = transfer
        self.status = transfer.status
        self.headers = transfer.headers
        """By lower-case name; of several with one name the last."""
        self.trailers = transfer.trailers
        """Headers that follow the body, likewise; complete when the body is."""

    async def read(self) -> bytes:
        """The bytes that have arrived since the last call, waiting for some; empty at the end.

        Raises:
            UpstreamError: Nothing came for the idle time, or the connection broke.
        """
        return await self._transfer.read()

    def resume_sending(self) -> None:
        """Have curl ask the call's body again, after that had nothing to send for a while."""
        self._transfer.resume()

    async def read_all(self, limit_bytes: int) -> bytes:
        """The body up to this size; the rest is left unread."""
        parts: list[bytes] = []
        missing = limit_bytes
        while missing > 0 and (data := await self.read()):
            parts.append(data[:missing])
            missing -= len(data)
        return b"".join(parts)


class Transport:
    """The connections to Grok, kept alive between requests.

    curl itself keeps connections of another proxy or TLS profile apart, so one multi handle serves all of them.
    """

    def __init__(self) -> None:
        self._multi = AsyncCurl()
        self._idle: list[Curl] = []

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncGenerator[Response, None]:
        """Send a request and wait for the head of its answer; leaving the block ends the request.

        Raises:
            UpstreamError: It could not be sent, or no answer began within the time limit.
        """
        curl = self._idle.pop() if self._idle else Curl()
        transfer = _Transfer(curl, first_byte_timeout_s=call.first_byte_timeout_s, idle_timeout_s=call.idle_timeout_s)
        try:
            prepare(curl, call)
            curl.setopt(CurlOpt.HEADERDATA, transfer)
            curl.setopt(CurlOpt.WRITEFUNCTION, transfer.take)
            done = self._multi.add_handle(curl)
            done.add_done_callback(transfer.finish)
            try:
                await transfer.head()
                yield Response(transfer)
            finally:
                if not done.done():
                    self._multi.remove_handle(curl)
        finally:
            transfer.close()
            self._recycle(curl)

    async def close(self) -> None:
        """Close all connections; requests under way end."""
        await self._multi.close()  # type: ignore[no-untyped-call] # curl_cffi leaves it untyped
        for curl in self._idle:
            curl.close()
        self._idle.clear()

    def _recycle(self, curl: Curl) -> None:
        curl.clean_handles_and_buffers()
        if len(self._idle) >= _IDLE_HANDLES:
            curl.close()
            return
        curl.reset()
        self._idle.append(curl)


class _Transfer:
    """What curl's callbacks write and the reader reads. All of it happens on the event loop's thread."""

    def __init__(self, curl: Curl, *, first_byte_timeout_s: float, idle_timeout_s: float) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.trailers: dict[str, str] = {}
        self._curl = curl
        self._idle_timeout_s = idle_timeout_s
        self._limit_s = first_byte_timeout_s
        self._has_body = False
        self._chunks: deque[bytes] = deque()
        self._buffered_bytes = 0
        self._is_paused = False
        self._has_head = False
        self._outcome: UpstreamError | bool | None = None
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._waiting_since = self._loop.time()
        self._timer = self._loop.call_later(first_byte_timeout_s, self._check_time)

    def write(self, line: bytes) -> None:
        """Take a line of the head or of the trailers (curl's HEADERDATA)."""
        if line.startswith(b"HTTP/"):
            self.status = int(line.split(maxsplit=2)[1])
            self.headers.clear()
        elif line in (b"\r\n", b"\n"):
            if self.status >= 200 or self.status == 101:  # noqa: PLR2004 - 1xx are heralds, but for an open socket
                self._has_head = True
                self._wake()
        else:
            name, _, value = line.decode("latin-1").partition(":")
            fields = self.trailers if self._has_head else self.headers
            fields[name.strip().lower()] = value.strip()

    def take(self, data: bytes) -> int:
        """Take a piece of the body, or ask curl to come back with it later (curl's WRITEFUNCTION)."""
        if self._buffered_bytes >= _BUFFER_LIMIT_BYTES:
            self._is_paused = True
            return CURL_WRITEFUNC_PAUSE
        self._chunks.append(data)
        self._buffered_bytes += len(data)
        self._wake()
        return len(data)

    def finish(self, done: asyncio.Future[None]) -> None:
        """Note how the transfer ended."""
        if done.cancelled():
            return
        error = done.exception()
        self._outcome = True if error is None else failure(error)
        self._wake()

    async def head(self) -> None:
        """Wait until status and headers are there."""
        while not self._has_head:
            if self._outcome is not None:
                raise self._as_error()
            await self._wait()

    async def read(self) -> bytes:
        """See `Response.read`."""
        while not self._chunks:
            if self._outcome is True:
                return b""
            if self._outcome is not None:
                raise self._as_error()
            await self._wait()
        if not self._has_body:
            self._begin_body()
        data = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered_bytes = 0
        if self._is_paused:
            self._is_paused = False
            self._curl.pause(CURLPAUSE_CONT)
        return data

    def resume(self) -> None:
        """See `Response.resume_sending`."""
        if self._outcome is None:
            self._curl.pause(CURLPAUSE_CONT)

    def close(self) -> None:
        """Stop watching the time."""
        self._timer.cancel()

    def _begin_body(self) -> None:
        """From the first byte on, each silence has a limit of its own."""
        self._has_body = True
        self._limit_s = self._idle_timeout_s
        self._timer.cancel()
        self._timer = self._loop.call_later(self._limit_s, self._check_time)

    async def _wait(self) -> None:
        if self._has_body:  # until then the one limit covers the way to the first byte
            self._waiting_since = self._loop.time()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _check_time(self) -> None:
        # One timer for a whole transfer, set anew when it fires: nothing is paid per chunk.
        waited_s = self._loop.time() - self._waiting_since if self._waiter is not None else 0.0
        if waited_s < self._limit_s:
            self._timer = self._loop.call_later(self._limit_s - waited_s, self._check_time)
            return
        self._outcome = UpstreamError(ErrorKind.TIMEOUT, f"Grok sent nothing for {self._limit_s:g} s")
        self._wake()

    def _as_error(self) -> UpstreamError:
        if isinstance(self._outcome, UpstreamError):
            return self._outcome
        return UpstreamError(ErrorKind.PROTOCOL, "Grok closed the connection without an answer")
