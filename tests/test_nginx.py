"""What deploy/nginx.conf makes of requests, with nginx itself before two scripted replicas."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from grok_app.api import body
from grok_app.api.openai.images import _FORM_BYTES
from tests import nginx
from tests.servers import free_port

pytestmark = pytest.mark.skipif(nginx.PROGRAM is None, reason="nginx is not installed")

CHAT = "/v1/chat/completions"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello"


@dataclass
class Replica:
    """Takes down the heads of requests, and answers what the test says."""

    listener: socket.socket
    answer: bytes = WHOLE
    """Empty: the connection is reset as soon as the head is there."""
    heads: list[str] = field(default_factory=list)
    held: list[socket.socket] = field(default_factory=list)
    """Connections whose answers have begun and go on."""

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        """Serve until the listener is closed."""
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head and (part := peer.recv(65536)):
                head += part
            self.heads.append(head.decode())
            goes_on = self.answer in (STREAM, SWITCH)
            if goes_on:
                self.held.append(peer)
            peer.sendall(self.answer)
            if not goes_on:
                peer.close()


@pytest.fixture
def replicas() -> Iterator[list[Replica]]:
    """Two of them; a test may close the listener of one."""
    both = [Replica(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
    for replica in both:
        threading.Thread(target=replica.serve, daemon=True).start()
    yield both
    for replica in both:
        replica.listener.close()
        for peer in replica.held:
            peer.close()


@pytest.fixture
def url(replicas: list[Replica], tmp_path: Path) -> Iterator[str]:
    """Where nginx is, before both."""
    with nginx.running(tmp_path, free_port(), [replica.address for replica in replicas]) as address:
        for replica in replicas:
            replica.heads.clear()
        yield address


def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    """As it stands in the repository, and with other addresses."""
    for conf in (nginx.CONF, nginx.render(tmp_path, free_port(), ["127.0.0.1:1", "127.0.0.1:2"])):
        checked = subprocess.run([*nginx.command(tmp_path, conf), "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [CHAT, "/chat"], ids=["API", "page"])
def test_a_dead_replica_is_passed_over(url: str, replicas: list[Replica], method: str, path: str) -> None:
    """No caller notices, whichever replica it would have been."""
    replicas[0].listener.shutdown(socket.SHUT_RDWR)
    replicas[0].listener.close()
    answers = [httpx.request(method, url + path, json={}) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(replicas[1].heads) == 10


def test_a_post_that_a_replica_has_got_is_not_sent_again(url: str, replicas: list[Replica]) -> None:
    """It may have cost quota already. The caller is told so in the API's own shape."""
    for replica in replicas:
        replica.answer = b""
    answer = httpx.post(url + CHAT, json={"model": "grok-3"})
    assert answer.status_code == 502
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
    assert len(replicas[0].heads) + len(replicas[1].heads) == 1


def test_a_stream_that_breaks_off_is_not_begun_anew(url: str, replicas: list[Replica]) -> None:
    """What has come so far stands, and the end is seen to be none."""
    for replica in replicas:
        replica.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    with httpx.stream("GET", url + CHAT) as answer:
        parts = answer.iter_raw()
        received = next(parts)
        with pytest.raises(httpx.RemoteProtocolError):
            next(parts)
    assert received == b"hello"
    assert len(replicas[0].heads) + len(replicas[1].heads) == 1


def test_events_leave_as_they_come(url: str, replicas: list[Replica]) -> None:
    """None is held back until there are more."""
    for replica in replicas:
        replica.answer = STREAM
    with httpx.stream("POST", url + CHAT, json={}, timeout=10) as answer:
        parts = answer.iter_raw()
        [peer] = [peer for replica in replicas for peer in replica.held]
        for event in (b"data: 1\n\n", b"data: 2\n\n"):
            peer.sendall(event)
            assert next(parts) == event


@pytest.mark.parametrize("path", ["/_event/", "/v1/public/imagine/ws"], ids=["page", "API"])
def test_a_socket_is_passed_on(url: str, replicas: list[Replica], path: str) -> None:
    """With its upgrade, in both directions."""
    for replica in replicas:
        replica.answer = SWITCH
    host, port = url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=10)) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode())
        received = b""
        while not received.endswith(b"hello"):
            received += peer.recv(65536)
        assert received.startswith(b"HTTP/1.1 101")
        [held] = [peer for replica in replicas for peer in replica.held]
        peer.sendall(b"and back")
        assert held.recv(65536) == b"and back"


def test_the_replica_learns_who_asks(url: str, replicas: list[Replica]) -> None:
    """Who a caller claims to be comes first, what nginx knows last; and the host that the caller used."""
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Host": "chat.example.com:8443"}
    httpx.get(f"{url}/v1/models", headers=headers)
    [head] = replicas[0].heads + replicas[1].heads
    lines = head.lower().splitlines()
    assert "x-forwarded-for: 192.0.2.1, 127.0.0.1" in lines
    assert "x-forwarded-proto: http" in lines
    assert "host: chat.example.com:8443" in lines


@pytest.mark.parametrize(
    ("path", "limit_bytes"),
    [
        (CHAT, body.BODY_LIMIT_BYTES),
        ("/v1/images/edits", _FORM_BYTES),
        ("/grok/v1/images/edits", _FORM_BYTES),
    ],
)
def test_bodies_are_as_large_as_the_server_takes_them(
    url: str, replicas: list[Replica], path: str, limit_bytes: int
) -> None:
    """One byte more is refused at once, in the API's own shape."""
    host, port = url.removeprefix("http://").split(":")
    statuses = []
    for length in (limit_bytes, limit_bytes + 1):
        with closing(socket.create_connection((host, int(port)), timeout=10)) as peer:
            peer.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{{".encode())
            answer = b"".join(iter(lambda: peer.recv(65536), b"")) if length > limit_bytes else peer.recv(65536)
        statuses.append(int(answer.split()[1]))
    assert statuses == [200, 413]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_too_large"
    assert len(replicas[0].heads) + len(replicas[1].heads) == 1


def test_no_query_is_logged(url: str, tmp_path: Path) -> None:
    """A visitor's key may be in it."""
    httpx.get(f"{url}/v1/public/imagine/sse", params={"public_key": "secret-of-a-visitor"})
    log = tmp_path / "access.log"
    assert "/v1/public/imagine/sse" in log.read_text()
    assert "secret-of-a-visitor" not in log.read_text()
