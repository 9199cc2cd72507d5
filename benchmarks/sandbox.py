"""A grok.com for load: one prebuilt answer of 100 tokens, so that the gateway is what is measured.

Raw asyncio and nothing of `grok_app`. Speaks epoch [F] over HTTP/1.1 (protocol notes, sections 2.7 and 11.1): one
frame a line, each line a chunk of its own, as Grok sends them. `pace_ms=10` anywhere in a request waits 10 ms before
each token but the first; without it the whole answer leaves in one write. A question about the quota gets one too.
"""

import asyncio
import json
import re
import socket
from collections.abc import Iterable
from typing import Any, Final, cast

from benchmarks.serving import serve_until_interrupted

TOKENS: Final = 100
MARK: Final = "~"
"""In every token once and nowhere else, so that a counted reply is a checked reply."""
MARKS_IN_REPLY: Final = 2 * TOKENS
"""Each token comes twice: as a frame of its own, and in the whole message at the end."""
LINES_IN_REPLY: Final = TOKENS + 6

_RESPONSE_ID: Final = "b1d6d1a2-0f0e-4a55-8a4c-2f1a7f0c0002"
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PACE: Final = re.compile(rb"pace_ms=(\d+)")
_LIMITS: Final = b"POST /rest/rate-limits "
_QUOTA: Final = b'{"windowSizeSeconds":72000,"remainingQueries":80,"totalQueries":80}'
_QUOTA_REPLY: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_QUOTA),
    _QUOTA,
)


def _chunk(frame: dict[str, Any]) -> bytes:
    line = json.dumps({"result": frame}, separators=(",", ":")).encode() + b"\n"
    return b"%x\r\n%b\r\n" % (len(line), line)


def _response(**fields: object) -> bytes:
    return _chunk({"response": {**fields, "isThinking": False, "responseId": _RESPONSE_ID}})


def _build_parts() -> list[bytes]:
    """The reply in as many parts as it has tokens; what surrounds the tokens goes with the first and the last."""
    texts = [f" {MARK}{number:02d}" for number in range(TOKENS)]
    tokens = [_response(token=text, messageTag="final") for text in texts]
    opening = (
        _HEAD,
        _chunk({"conversation": {"conversationId": "3f0c8f1e-6d1b-4f2e-9a55-0c6a3f6b1d01", "title": "New"}}),
        _response(userResponse={"message": "", "sender": "human"}, isSoftStop=False),
        _response(llmInfo={"modelHash": "c9d1f3a7e5b2"}, isSoftStop=False),
    )
    ending = (
        _response(token="", isSoftStop=True, messageTag="final"),
        _response(finalMetadata={"followUpSuggestions": [], "toolsUsed": {}}),
        _response(modelResponse={"message": "".join(texts), "cardAttachmentsJson": [], "streamErrors": []}),
        b"0\r\n\r\n",
    )
    return [b"".join((*opening, tokens[0])), *tokens[1:-1], b"".join((tokens[-1], *ending))]


class Answering(asyncio.Protocol):
    """One keep-alive connection; answers every request on it, one after the other."""

    _parts: Final = _build_parts()
    _whole: Final = b"".join(_parts)

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Stop answering."""
        self._transport = None
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer once a request is complete."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        if head.startswith(_LIMITS) and self._transport:
            self._transport.write(_QUOTA_REPLY)
            return
        pace = _PACE.search(body)
        self._answer(int(pace[1]) / 1000 if pace else 0.0)

    def _answer(self, pace_s: float) -> None:
        if pace_s:
            self._send_part(0, self._loop.time(), pace_s)
        elif self._transport:
            self._transport.write(self._whole)

    def _send_part(self, number: int, began_at: float, pace_s: float) -> None:
        if self._transport is None:
            return
        self._transport.write(self._parts[number])
        following = number + 1
        if following < len(self._parts):
            # By the clock, not by the last token, so that a late one does not delay all that follow.
            at = began_at + following * pace_s
            self._timer = self._loop.call_at(at, self._send_part, following, began_at, pace_s)


async def start_answering(listener: socket.socket | None = None) -> asyncio.Server:
    """Answer on this listening socket, or on a free loopback port, until the server is closed."""
    loop = asyncio.get_running_loop()
    if listener is not None:
        return await loop.create_server(Answering, sock=listener, backlog=2048)
    return await loop.create_server(Answering, "127.0.0.1", 0, backlog=2048)


def main(arguments: Iterable[str] | None = None) -> None:
    """Serve until interrupted."""
    serve_until_interrupted("python -m benchmarks.sandbox", __doc__, start_answering, arguments)


if __name__ == "__main__":
    main()
