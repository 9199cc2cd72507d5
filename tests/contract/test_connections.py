"""Clients that send or read so slowly that they would keep a server busy: what they cost, and when they are left.

The gateway has shorter limits here than outside; which ones those are, tests/test_connections.py says.
"""

import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, KEYS, QUICK_RETRIES
from tests.contract.wire import CHAT, ask, body
from tests.servers import Gateway, Sandbox, eventually, start_gateway

HEAD_S: Final = 1.5
UNREAD_S: Final = 1.5
HURRIED: Final = f"""
from grok_app import connections
connections.HEAD_S, connections.UNREAD_S = {HEAD_S}, {UNREAD_S}
"""
CROWD: Final = 500
GREETING_S: Final = 1.0
"""However many others there are, a good caller is answered within this time."""
PATIENCE_S: Final = 10.0
HEAD: Final = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nX-Slow: "
MUCH: Final = "@echo " + "word " * 60_000
"""Some 12 MB of events: more than finds room on the way from Grok to a client."""


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """A gateway that is in a hurry, with one account that serves one request at a time."""
    accounts = {Pool.BASIC: (f"sandbox-basic-hurried-{ENDLESS}",)}
    settings = {**KEYS, **QUICK_RETRIES, "token.auto_refresh": "false", "token.max_inflight": "1"}
    folder = tmp_path_factory.mktemp("hurried")
    gateway = start_gateway(folder, sandbox, accounts, settings, beforehand=HURRIED)
    yield gateway
    gateway.stop()


class Peer:
    """A client that speaks and reads no more than it is told to."""

    def __init__(self, gateway: Gateway, first: bytes = b"") -> None:
        url = httpx.URL(gateway.url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect((url.host, url.port))
        self._ends = f":{url.port:04X} :{self.socket.getsockname()[1]:04X}"
        self.socket.sendall(first)
        self.socket.setblocking(False)

    def drip(self) -> None:
        """Send one more byte, if anybody listens."""
        with suppress(OSError):  # closed already: `is_closed` finds it so
            self.socket.send(b"a")

    def is_closed(self) -> bool:
        """Whether the server has closed the connection."""
        try:
            return not self.socket.recv(1024)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def is_gone(self) -> bool:
        """Whether the server's end of the connection is no more, whatever ours knows of it."""
        connections = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines())
        return self._ends not in {f"{own[-5:]} {other[-5:]}" for _, own, other, *_ in connections}


@contextmanager
def peers(gateway: Gateway, firsts: Iterator[bytes]) -> Generator[list[Peer]]:
    """Clients that have begun so; all are closed at the end."""
    with ExitStack() as stack:
        found = [Peer(gateway, first) for first in firsts]
        for peer in found:
            stack.callback(peer.socket.close)
        yield found


def asked(gateway: Gateway, content: str, *, stream: bool) -> bytes:
    """A chat as bytes on the wire."""
    content_bytes = orjson.dumps(body(content, stream=stream))
    head = f"POST {CHAT} HTTP/1.1\r\nHost: gateway\r\nx-api-key: {gateway.key}\r\nContent-Length: {len(content_bytes)}"
    return f"{head}\r\n\r\n".encode() + content_bytes


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    began_at = time.monotonic()
    work()
    return time.monotonic() - began_at


def test_those_who_never_finish_a_request_hold_nobody_up(gateway: Gateway, question: str) -> None:
    """Five hundred connections that say nothing, a byte now and then, or half of HTTP/2: all are closed in time.

    Meanwhile health checks and chats are answered as ever.
    """
    firsts = islice(cycle([HEAD, b"", b"G", b"PRI * HTTP/2.0\r\n\r\nSM\r\n", HEAD[:30]]), CROWD)
    with peers(gateway, firsts) as crowd:
        assert seconds(lambda: gateway.stranger.get("/healthz").raise_for_status()) < GREETING_S
        assert seconds(lambda: ask(gateway, question, stream=False).raise_for_status()) < GREETING_S

        def are_left() -> bool:
            crowd[:] = [peer for peer in crowd if not peer.is_closed()]
            for peer in crowd:
                peer.drip()
            gateway.stranger.get("/healthz").raise_for_status()
            return not crowd

        eventually(are_left, within_s=PATIENCE_S)


def test_who_keeps_a_connection_for_nothing_is_left(gateway: Gateway) -> None:
    """Between two requests as before the first."""
    with peers(gateway, iter([b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"])) as [peer]:
        eventually(lambda: not peer.is_closed(), within_s=GREETING_S)
        eventually(peer.is_closed, within_s=PATIENCE_S)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone has it")
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_who_reads_nothing_is_left(gateway: Gateway, sandbox: Sandbox, question: str, stream: bool) -> None:
    """A caller who takes nothing of an answer loses its connection, Grok's ends, and the account serves others."""
    before = sandbox.state()["total_requests"]
    with peers(gateway, iter([asked(gateway, MUCH, stream=stream)])) as [peer]:
        eventually(lambda: sandbox.state()["total_requests"] > before)
        assert not peer.is_gone()
        eventually(peer.is_gone, within_s=PATIENCE_S)
    eventually(lambda: sandbox.state()["open_streams"] == 0)
    assert ask(gateway, question, stream=False).status_code == 200
