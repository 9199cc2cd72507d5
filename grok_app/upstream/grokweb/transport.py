"""HTTP towards Grok over curl's multi interface: shared connections, a browser's TLS, and an end the moment we ask.

curl_cffi's `AsyncSession` is not used for streams: closing one waits for the transfer's own end (read in 0.16.3,
2026-11-23), while taking the handle out of the multi interface closes the connection at once.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from curl_cffi import AsyncCurl, Curl, CurlOpt
from curl_cffi.curl import CURLPAUSE_CONT, CURLPAUSE_RECV

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.call import Call, Way, failure, load, prepare

_BUFFER_LIMIT_BYTES: Final = 1 << 20
"""More than this unread, and curl is told to stop reading until the reader has caught up."""
_MOST_UNREAD_BYTES: Final = 16 << 20
"""Packed, a few KiB become gigabytes within one read of curl's, during which nobody can be told to stop."""
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

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to be read."""
        return self._transfer.is_complete

    def read(self) -> Awaitable[bytes]:
        """The bytes that have arrived since the last call, waiting for some; empty at the end.

        Raises:
            UpstreamError: Nothing came for the idle time, or the connection broke.
        """
        return self._transfer.read()

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
        self._idle: list[tuple[Way | None, Curl]] = []
        """Handles, and what each is prepared for: half of what a request costs at curl is not paid again."""

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncGenerator[Response, None]:
        """Send a request and wait for the head of its answer; leaving the block ends the request.

        Raises:
            UpstreamError: It could not be sent, or no answer began within the time limit.
        """
        prepared, curl = self._idle.pop() if self._idle else (None, Curl())
        transfer = _Transfer(curl, first_byte_timeout_s=call.first_byte_timeout_s, idle_timeout_s=call.idle_timeout_s)
        kept: Way | None = None
        try:
            wanted = call.way if call.is_plain else None
            if wanted is None or prepared != wanted:
                curl.reset()
                prepare(curl, call.way)
            load(curl, call)
            kept = wanted
            curl.setopt(CurlOpt.HEADERDATA, transfer)
            curl.setopt(CurlOpt.WRITEDATA, transfer.body)
            done = self._multi.add_handle(curl)
            transfer.follow(done)
            try:
                await transfer.head()
                yield Response(transfer)
            finally:
                if not done.done():
                    self._multi.remove_handle(curl)
        finally:
            transfer.close()
            self._recycle(curl, kept)

    async def close(self) -> None:
        """Close all connections; requests under way end."""
        await self._multi.close()  # type: ignore[no-untyped-call] # curl_cffi leaves it untyped
        for _, curl in self._idle:
            curl.close()
        self._idle.clear()

    def _recycle(self, curl: Curl, way: Way | None) -> None:
        curl.clean_handles_and_buffers()
        if len(self._idle) >= _IDLE_HANDLES:
            curl.close()
        else:
            self._idle.append((way, curl))


class _Body:
    """What curl writes a body to (its WRITEDATA). A function, whose result curl_cffi checks, costs more."""

    write: Callable[[bytes], None]


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
        self._chunks: list[bytes] = []
        self._buffered_bytes = 0
        self.body = _Body()
        self.body.write = self._take
        self._is_paused = False
        self._has_head = False
        self._outcome: UpstreamError | bool | None = None
        self._done: asyncio.Future[None]
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

    def _take(self, data: bytes) -> None:
        """Take a piece of the body, and tell curl when it must bring no more for now.

        Raises:
            UpstreamError: There is too much of it; curl then ends the transfer.
        """
        if self._buffered_bytes > _MOST_UNREAD_BYTES:
            self._outcome = UpstreamError(ErrorKind.PROTOCOL, f"Grok packed {_MOST_UNREAD_BYTES >> 20} MiB into a few")
            raise self._outcome
        self._chunks.append(data)
        if self._waiter is not None:
            self._wake()
        self._buffered_bytes += len(data)
        if self._buffered_bytes >= _BUFFER_LIMIT_BYTES and not self._is_paused:
            self._is_paused = True
            self._curl.pause(CURLPAUSE_RECV)

    def follow(self, done: asyncio.Future[None]) -> None:
        """Note how the transfer ends."""
        self._done = done
        done.add_done_callback(self._finish)

    def _finish(self, done: asyncio.Future[None]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        self._outcome = self._outcome or (True if error is None else failure(error))
        self._wake()

    async def head(self) -> None:
        """Wait until status and headers are there."""
        while not self._has_head:
            if self._outcome is not None:
                raise self._as_error()
            try:
                await self._wait()
            finally:
                self.body.write = self._take
        self._buffered_bytes = sum(map(len, self._chunks))

    @property
    def is_complete(self) -> bool:
        """See `Response.is_complete`."""
        return self._outcome is True and not self._chunks

    async def read(self) -> bytes:
        """See `Response.read`."""
        while not self._chunks:
            if self._outcome is True:
                return b""
            if self._outcome is not None:
                raise self._as_error()
            try:
                await self._wait()
            finally:
                self.body.write = self._take
        if not self._has_body:
            self._begin_body()
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._buffered_bytes = 0
        if self._is_paused:
            self._is_paused = False
            self._go_on()
        return data

    def resume(self) -> None:
        """See `Response.resume_sending`."""
        self._go_on()

    def close(self) -> None:
        """Stop watching the time."""
        self._timer.cancel()
        self.body.write = self._chunks.append  # nothing comes any more; its own method would make a circle

    def _go_on(self) -> None:
        if not self._done.done():  # else curl takes it for a mistake
            self._curl.pause(CURLPAUSE_CONT)

    def _begin_body(self) -> None:
        """From the first byte on, each silence has a limit of its own."""
        self._has_body = True
        self._limit_s = self._idle_timeout_s
        self._timer.cancel()
        self._timer = self._loop.call_later(self._limit_s, self._check_time)

    def _wait(self) -> asyncio.Future[None]:
        if self._has_body:  # until then the one limit covers the way to the first byte
            self._waiting_since = self._loop.time()
        self._waiter = self._loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
            # The reader runs in the loop's next turn: what comes with the same read of curl's needs no watching,
            # unless it is unpacked from it.
            if "content-encoding" not in self.headers:
                self.body.write = self._chunks.append

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
