"""The leanest relay that Python can be: `python -m benchmarks.baselines.leanest --port N --grok-port M`.

A server in raw asyncio; curl's multi interface through curl_cffi's low-level handle, which is prepared once and used
again; chunks by template; what came in one read leaves in one write. No framework, no features.
"""

import asyncio
import re
import socket
from functools import partial
from typing import Final, cast

import orjson
from curl_cffi import AsyncCurl, Curl, CurlHttpVersion, CurlOpt

from benchmarks.baselines.words import BROWSER, DONE, HEADERS, PATH, chunk, completion, question, token_of
from benchmarks.serving import relay_options, run_server

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_WHOLE: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_ROLE: Final = chunk({"role": "assistant", "content": ""})
_END: Final = chunk({}, "stop") + DONE
_BEFORE, _, _AFTER = chunk({"content": "\x00"}).partition(orjson.dumps("\x00"))


class Handles:
    """curl's handles, each for one request at a time."""

    def __init__(self, grok_url: str) -> None:
        self._url = grok_url + PATH
        self._multi = AsyncCurl()
        self._idle: list[Curl] = []

    def start(self, asked: bytes, answer: "Answer") -> None:
        """Ask Grok; what it says goes to this answer."""
        curl = self._idle.pop() if self._idle else self._make()
        curl.setopt(CurlOpt.POSTFIELDS, asked)
        curl.setopt(CurlOpt.POSTFIELDSIZE_LARGE, len(asked))
        curl.setopt(CurlOpt.WRITEFUNCTION, answer.take)
        self._multi.add_handle(curl).add_done_callback(partial(self._finish, curl, answer))

    def _make(self) -> Curl:
        curl = Curl()
        curl.setopt(CurlOpt.URL, self._url)
        curl.impersonate(BROWSER, default_headers=False)
        curl.setopt(CurlOpt.HTTP_VERSION, CurlHttpVersion.V1_1)
        lines = [f"{name}: {value}".encode() for name, value in HEADERS.items()]
        curl.setopt(CurlOpt.HTTPHEADER, [*lines, b"Expect:"])
        return curl

    def _finish(self, curl: Curl, answer: "Answer", done: "asyncio.Future[None]") -> None:
        self._idle.append(curl)
        answer.finish(is_complete=done.exception() is None)


class Answer:
    """One answer on its way."""

    def __init__(self, transport: asyncio.Transport, *, is_streamed: bool) -> None:
        self._transport = transport
        self._is_streamed = is_streamed
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._rest = b""
        self._opening = _HEAD
        self._before = _ROLE
        self._texts: list[str] = []

    def take(self, data: bytes) -> int:
        """Take what curl has read; whatever else it reads at once goes with it."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        return len(data)

    def finish(self, *, is_complete: bool) -> None:
        """End the answer, or the connection."""
        self._flush()
        if not is_complete:
            self._transport.abort()
        elif self._is_streamed:
            self._transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(_END), _END))
        else:
            whole = completion(self._texts)
            self._transport.write(_WHOLE % (len(whole), whole))

    def _flush(self) -> None:
        *lines, self._rest = (self._rest + b"".join(self._parts)).split(b"\n")
        self._parts.clear()
        tokens = [token for line in lines if (token := token_of(line))]
        if not self._is_streamed:
            self._texts += tokens
        elif tokens:
            events = self._before + b"".join([_BEFORE + orjson.dumps(token) + _AFTER for token in tokens])
            self._transport.write(b"%b%x\r\n%b\r\n" % (self._opening, len(events), events))
            self._opening = self._before = b""


class Relay(asyncio.Protocol):
    """One keep-alive connection; answers every request on it, one after the other."""

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Ask Grok once a request is complete."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]) or self._transport is None:
            return
        self._received = b""
        asked = orjson.loads(body)
        self._handles.start(question(asked), Answer(self._transport, is_streamed=asked["stream"]))


async def start_relaying(listener: socket.socket, grok_url: str) -> asyncio.Server:
    """Answer on this listening socket until the server is closed."""
    handles = Handles(grok_url)
    return await asyncio.get_running_loop().create_server(lambda: Relay(handles), sock=listener, backlog=2048)


def main() -> None:
    """Serve until interrupted."""
    options = relay_options("python -m benchmarks.baselines.leanest", __doc__)
    grok_url = f"http://127.0.0.1:{options.grok_port}"
    run_server(options.port, lambda listener: start_relaying(listener, grok_url))


if __name__ == "__main__":
    main()
