"""A WebSocket client that does nothing by itself: it reads when it is told to, and says whatever it is told."""

import socket
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import orjson
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

from tests.servers import Gateway

LONGEST_WAIT_S: Final = 10
READ_BYTES: Final = 64 * 1024
"""What the system reads ahead of us, about: a reader that doesn't read is soon known as one."""
GOING_AWAY: Final = 1001


class Socket(Iterator[dict[str, Any]]):
    """The JSON messages of a socket, until it is closed.

    Args:
        gateway: Where to.
        target: Path and query.
        headers: Beside those of every upgrade.
    """

    def __init__(self, gateway: Gateway, target: str, headers: Mapping[str, str]) -> None:
        url = httpx.URL(gateway.url)
        self.close_code: int | None = None
        """Why it was closed, once it is."""
        self._connection = socket.socket()
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
        self._connection.settimeout(LONGEST_WAIT_S)
        self._connection.connect((url.host, url.port))
        self._protocol = WSConnection(ConnectionType.CLIENT)
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._send(Request(host=f"{url.host}:{url.port}", target=target, extra_headers=fields))
        self.opening = self._event()
        """How the upgrade was answered."""

    def __next__(self) -> dict[str, Any]:
        """Wait for the next message."""
        pieces: list[str] = []
        while True:
            match event := self._event():
                case TextMessage():
                    pieces.append(event.data)
                    if event.message_finished:
                        message: dict[str, Any] = orjson.loads("".join(pieces))
                        return message
                case Ping():
                    self._send(event.response())
                case CloseConnection():
                    self.close_code = event.code
                    if self._protocol.state is ConnectionState.REMOTE_CLOSING:
                        self._send(event.response())
                    raise StopIteration
                case _:
                    raise AssertionError(f"not expected here: {event}")

    def say(self, **fields: Any) -> None:
        """Send a JSON object."""
        self.send(orjson.dumps(fields).decode())

    def send(self, content: str | bytes) -> None:
        """Send a message as it is."""
        message: Message[Any] = TextMessage(content) if isinstance(content, str) else BytesMessage(content)
        self._send(message)

    def leave(self) -> None:
        """Say goodbye as a browser does whose page is closed."""
        self._send(CloseConnection(GOING_AWAY))

    def break_off(self) -> None:
        """Close the connection without a word."""
        self._connection.close()

    def _send(self, event: Event) -> None:
        self._connection.sendall(self._protocol.send(event))

    def _event(self) -> Event:
        while True:
            for event in self._protocol.events():
                return event
            self._protocol.receive_data(self._connection.recv(READ_BYTES) or None)


@contextmanager
def connected(
    gateway: Gateway, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Generator[Socket]:
    """Open a socket, which must be accepted; it is broken off at the end."""
    peer = _open(gateway, path, query, headers)
    try:
        assert isinstance(peer.opening, AcceptConnection), peer.opening
        yield peer
    finally:
        peer.break_off()


def upgrade_status(
    gateway: Gateway, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> int:
    """The HTTP status with which an upgrade is answered; 101 if it succeeds."""
    peer = _open(gateway, path, query, headers)
    peer.break_off()
    if isinstance(peer.opening, RejectConnection):
        return peer.opening.status_code
    assert isinstance(peer.opening, AcceptConnection), peer.opening
    return 101


def _open(gateway: Gateway, path: str, query: Mapping[str, str] | None, headers: Mapping[str, str] | None) -> Socket:
    target = f"{path}?{urlencode(query)}" if query else path
    return Socket(gateway, target, headers or {})
