"""A WebSocket to Grok over the same transport as everything else: a browser's TLS, the proxy, an end at once.

curl opens the socket and hands the frames over as they are on the wire; wsproto reads and writes them. curl_cffi's own
`AsyncWebSocket` is not used: it runs tasks of its own and closes by waiting for them, for seconds
if need be (read in 0.16.3, 2026-11-23).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from curl_cffi.curl import CURL_READFUNC_PAUSE
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.call import Call
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.transport import Response, Transport
from grok_app.upstream.grokweb.unary import read_refusal

_SWITCHED: Final = 101
_UNCLEAR: Final = (400, 403)
"""Statuses of a refusal whose meaning only the body tells."""
_PING_EVERY_S: Final = 20.0
_MESSAGE_LIMIT: Final = 16 << 20
_ASKED_AGAIN: Final = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: Z3Jva19hcHAgYXNrcyB3aA==",
)


class WebSocket:
    """An open socket."""

    def __init__(self, response: Response, outbox: "_Outbox") -> None:
        self._response = response
        self._outbox = outbox
        self._protocol = Connection(ConnectionType.CLIENT)
        self._parts: list[str] = []
        self._length = 0
        self._loop = asyncio.get_running_loop()
        self._pinging = self._loop.call_later(_PING_EVERY_S, self._ping)

    def send(self, text: str) -> None:
        """Send a message; it leaves as soon as the connection takes it."""
        self._say(TextMessage(data=text))

    async def receive(self) -> str | None:
        """The next text message; None when Grok has hung up in an orderly way.

        Raises:
            UpstreamError: The connection broke, or Grok sent what no message is.
        """
        while True:
            try:
                for event in self._protocol.events():
                    if isinstance(event, CloseConnection):
                        _check_end(event)
                        return None
                    if (message := self._take(event)) is not None:
                        return message
                self._protocol.receive_data(await self._response.read() or None)
            except RemoteProtocolError as error:
                raise UpstreamError(ErrorKind.PROTOCOL, f"Grok broke the rules of WebSockets: {error}") from error

    def close(self) -> None:
        """Stop pinging; the connection is closed by leaving `open_websocket`."""
        self._pinging.cancel()
        with suppress(RemoteProtocolError):
            # wsproto refers to itself, and to the last frame until it has looked for another one: a whole picture
            # would wait for the garbage collector (read in 1.3.2 and measured, 2026-11-28: 34 MiB of 100 runs).
            for _ in self._protocol.events():
                pass

    def _take(self, event: Event) -> str | None:
        """The message that this event completes, if it does."""
        if isinstance(event, Ping):
            self._say(event.response())
        if isinstance(event, BytesMessage):
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok sent a binary message where text is spoken")
        if not isinstance(event, TextMessage):
            return None
        self._parts.append(event.data)
        self._length += len(event.data)
        if self._length > _MESSAGE_LIMIT:
            raise UpstreamError(ErrorKind.PROTOCOL, f"Grok sent a message of more than {_MESSAGE_LIMIT >> 20} MiB")
        if not event.message_finished:
            return None
        message = "".join(self._parts)
        self._parts.clear()
        self._length = 0
        return message

    def _ping(self) -> None:
        self._say(Ping())
        self._pinging = self._loop.call_later(_PING_EVERY_S, self._ping)

    def _say(self, event: Event) -> None:
        self._outbox.put(self._protocol.send(event))
        self._response.resume_sending()


@asynccontextmanager
async def open_websocket(transport: Transport, call: Call) -> AsyncGenerator[WebSocket, None]:
    """Open a socket; leaving the block closes it at once.

    Args:
        transport: The connections.
        call: Where to, with a `ws:` or `wss:` URL, and how; its body and method don't count.

    Raises:
        UpstreamError: Grok can't be reached, or refused.
    """
    outbox = _Outbox()
    async with transport.send(replace(call, body=outbox)) as response:
        if response.status != _SWITCHED:
            raise http_failure(response.status, response.headers, await _explanation(transport, call, response))
        socket = WebSocket(response, outbox)
        try:
            yield socket
        finally:
            socket.close()


def _check_end(closed: CloseConnection) -> None:
    if closed.code == CloseReason.ABNORMAL_CLOSURE:
        raise UpstreamError(ErrorKind.UNAVAILABLE, "The connection to Grok ended without a word")


class _Outbox:
    """What is to be sent, as curl takes it."""

    length = None

    def __init__(self) -> None:
        self._bytes = bytearray()

    def put(self, data: bytes) -> None:
        self._bytes += data

    def read(self, limit_bytes: int, /) -> bytes | int:
        if not self._bytes:
            return CURL_READFUNC_PAUSE
        data = bytes(self._bytes[:limit_bytes])
        del self._bytes[:limit_bytes]
        return data

    def seek(self, offset: int, origin: int, /) -> None:
        if (offset, origin) != (0, 0):
            raise OSError("A WebSocket can only begin anew")


async def _explanation(transport: Transport, call: Call, refused: Response) -> bytes:
    """Why the upgrade was refused.

    curl keeps the body of such a refusal to itself. Where the status doesn't say enough, the same is asked once more
    in plain HTTP, and the body counts if the status is the same.
    """
    if refused.status not in _UNCLEAR:
        return b""
    url = call.url.replace("ws", "http", 1)
    again = replace(call, url=url, headers=[*call.headers, *_ASKED_AGAIN], body=b"", method="GET", is_http1=True)
    try:
        async with transport.send(again) as response:
            return await read_refusal(response) if response.status == refused.status else b""
    except UpstreamError:
        return b""  # the first refusal stands as it is
