"""Bytes that no client of the API would send: requests with a mistake in any place, and noise."""

import re
import socket
from typing import Final

import httpx
from hypothesis import strategies as st

from tests.fuzz.campaign import KEY

PATIENCE_S: Final = 20.0
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_HEAD_BYTES: Final = 13
_HTTP_2: Final = b"\0"
"""How a frame begins that is shorter than 65,536 bytes, as the first one is."""
_METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "")
_PATHS: Final = (
    "/", "*", "/healthz", "/readyz", "/docs", "/openapi.json", "/static/public/x", "/v1/models", "/v1/models/grok-4",
    "/v1/chat/completions", "/v1/images/generations", "/v1/images/edits", "/v1/files/image/a.png", "/v1/files/video/a",
    "/v1/admin/config", "/v1/admin/cache/list", "/v1/admin/session", "/v1/admin/batch/0/stream", "/v1/public/verify",
    "/v1/public/imagine/ws", "/v1/public/imagine/sse", "/v1/public/video/sse", "/v1/public/voice/token", "//x/../y",
    "http://example.com/v1/models", "/%", "/%00", "/%ff%fe", "/v1/models/%2e%2e%2f",
)  # fmt: skip
_PARAMETERS: Final = (
    "task_id", "prompt", "type", "page", "page_size", "voice", "speed", "app_key", "public_key", "tokens", "scope", "",
)  # fmt: skip
_HEADERS: Final = (
    "accept", "accept-encoding", "accept-language", "range", "if-range", "if-none-match", "if-modified-since", "cookie",
    "authorization", "x-api-key", "content-type", "content-length", "transfer-encoding", "expect", "host", "origin",
    "sec-fetch-site", "connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "x-forwarded-for",
    "x-forwarded-proto", "forwarded", "x-request-id", "traceparent", "access-control-request-method", "x odd", "",
)  # fmt: skip
_VALUES: Final = (
    f"Bearer {KEY}", KEY, "Bearer", "bytes=0-", "bytes=-1", "bytes=9-1,3-", "W/\"", "*", "chunked", "gzip", "0", "5",
    "-1", "18446744073709551616", "100-continue", "websocket", "Upgrade", "zh-CN,en;q=x", "a=b; grok_app_session=x",
    "multipart/form-data; boundary=x", "application/json", "text/html; charset=\xe9", "[::1", "null", "https://[", "",
)  # fmt: skip
_BODIES: Final = (
    b"", b"{", b"null", b'{"model":"grok-4","messages":[]}', b'{"model":"grok-4"}', b"--x\r\n\r\n--x--", b"5\r\nab",
    b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"[" * 5000, b"\xff\xfe", b'{"a":"\\ud800"}',
)  # fmt: skip
_VERSIONS: Final = ("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "")
_NOISE: Final = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n\r\n", b"GET",
    b"\x00" * 99, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500, b"GET /" + b"x" * 70_000,
)  # fmt: skip

_odd: st.SearchStrategy[bytes] = st.binary(max_size=12)


def _mostly(known: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    return st.sampled_from([text.encode("latin-1") for text in known]) | _odd


_queries = st.lists(st.tuples(_mostly(_PARAMETERS), _mostly(_VALUES)).map(b"=".join), max_size=3).map(b"&".join)
_targets = st.tuples(_mostly(_PATHS), st.just(b"") | _queries.map(b"?".__add__)).map(b"".join)
_lines = st.lists(st.tuples(_mostly(_HEADERS), _mostly(_VALUES)).map(b": ".join), max_size=6)
_requests = st.builds(
    lambda method, target, version, lines, is_hosted, body: (
        b" ".join((method, target, version)) + b"\r\n" + b"\r\n".join([*([b"host: x"] * is_hosted), *lines, b"", body])
    ),
    st.sampled_from([name.encode() for name in _METHODS]),
    _targets,
    st.just(b"HTTP/1.1") | _mostly(_VERSIONS),
    _lines,
    st.booleans(),
    st.sampled_from(_BODIES) | st.binary(max_size=40),
)
_broken = st.builds(
    lambda request, at, junk: request[: int(at * len(request))] + junk, _requests, st.floats(0, 1), _odd
)
raw_requests: st.SearchStrategy[bytes] = st.one_of(
    _requests, _requests, _broken, st.sampled_from(_NOISE), st.binary(max_size=200)
)
"""What is sent over one connection."""


def status_of(url: str, sent: bytes) -> int | None:
    """The status of the first answer to these bytes; None where the connection was closed without one.

    Raises:
        TimeoutError: Nothing came of it.
    """
    place = httpx.URL(url)
    assert place.port
    with socket.create_connection((place.host, place.port), PATIENCE_S) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            head = b""
            while len(head) < _HEAD_BYTES and (part := connection.recv(_HEAD_BYTES - len(head))):
                head += part
        except TimeoutError:
            raise
        except OSError:
            return None  # it had heard enough
    found = _STATUS.match(head)
    assert found or head[:1] in (b"", _HTTP_2), head
    return int(found[1]) if found else None
