"""LiveKit's signalling: `/rtc`, and `/rtc/v1` for newer clients (livekit-client 2.23); both begin with a JoinResponse.

There is no media server behind it: offers and candidates are taken and never answered.
Source: protocol notes, section 8.1; livekit_rtc.proto of LiveKit's protocol 1.52.
"""

import time
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from grok_app.sandbox.journal import AbandonedError, Entry
from grok_app.sandbox.replies import Reply
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.voice.passes import ADMITTED, Guest, check
from grok_app.sandbox.voice.protobuf import Fields, Value, read, write

PATHS: Final = ("/rtc", "/rtc/v1")
VALIDATE_PATHS: Final = tuple(f"{path}/validate" for path in PATHS)
PING_INTERVAL_S: Final = 5
PING_TIMEOUT_S: Final = 15
_VERSION: Final = "1.9.0"
_PROTOCOL: Final = 16
_JOINED: Final = 1
_CLOSE: Final = {"type": "websocket.close", "code": 1000}
_LEAVE, _PING, _PING_REQ = 8, 14, 16
"""Fields of a SignalRequest."""
_JOIN, _PONG, _PONG_RESP = 1, 18, 20
"""Fields of a SignalResponse."""
_MAY_SPEAK_AND_LISTEN: Final[Fields] = {1: 1, 2: 1, 3: 1}


class Validation:
    """An ASGI application that says why the socket was refused, or that its token is fine."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Answer one request."""
        with self._sandbox.journal.record(scope) as entry:
            found = _guest_of(scope)
            reply = found if isinstance(found, Reply) else ADMITTED
            entry.status = reply.status
            await reply.send(send)


class Signalling:
    """An ASGI application for the socket."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        with self._sandbox.journal.record(scope) as entry:
            if (await receive())["type"] != "websocket.connect":
                raise AbandonedError
            guest = _guest_of(scope)
            if isinstance(guest, Reply):
                entry.status = guest.status
                await guest.deny(send)
                return
            entry.status = 101
            await send({"type": "websocket.accept"})
            await self._sandbox.while_wanted(_serve(guest, entry, receive, send))
            await send(_CLOSE)


async def _serve(guest: Guest, entry: Entry, receive: Receive, send: Send) -> None:
    """Answer until the guest leaves."""
    await send({"type": "websocket.send", "bytes": _join(guest)})
    while True:
        request = _request_of(await receive(), entry)
        if _LEAVE in request:
            return
        if answer := _answer(request):
            await send({"type": "websocket.send", "bytes": answer})


def _request_of(message: Any, entry: Entry) -> dict[int, Value]:
    """The fields of a SignalRequest; none when it can't be understood. It is journalled in hex."""
    if message["type"] == "websocket.disconnect":
        raise AbandonedError
    raw: bytes = message.get("bytes") or b""
    entry.note_message(raw.hex(), len(raw))
    try:
        return read(raw)
    except ValueError:
        return {}


def _answer(request: dict[int, Value]) -> bytes | None:
    """To a ping of either kind: clients send both."""
    if _PING in request:
        return write({_PONG: _now_ms()})
    if isinstance(ping := request.get(_PING_REQ), bytes):
        return write({_PONG_RESP: write({1: _sent_ms(ping), 2: _now_ms()})})
    return None


def _sent_ms(ping: bytes) -> int:
    try:
        sent_ms = read(ping).get(1)
    except ValueError:
        return 0
    return sent_ms if isinstance(sent_ms, int) else 0


def _join(guest: Guest) -> bytes:
    """A SignalResponse that says where the guest is: alone in its room, and without ICE servers."""
    now_s = int(time.time())
    room: Fields = {1: f"RM_{guest.room}", 2: guest.room, 5: now_s, 9: 1}
    participant: Fields = {
        1: f"PA_{guest.id}",
        2: guest.identity,
        3: _JOINED,
        5: guest.metadata,
        6: now_s,
        9: guest.identity,
        11: write(_MAY_SPEAK_AND_LISTEN),
    }
    joined: Fields = {
        1: write(room),
        2: write(participant),
        4: _VERSION,
        6: 1,
        10: PING_TIMEOUT_S,
        11: PING_INTERVAL_S,
        12: write({2: _VERSION, 3: _PROTOCOL}),
    }
    return write({_JOIN: write(joined)})


def _guest_of(scope: Scope) -> Guest | Reply:
    return check(parse_qs(scope["query_string"].decode("latin-1")).get("access_token", [""])[0])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
