"""Pictures over a WebSocket, from a server that says what the test says."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import orjson
import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from grok_app.upstream import (
    ErrorKind,
    GrokWeb,
    GrokWebOptions,
    ImaginePrompt,
    PictureEnd,
    PictureFrame,
    UpstreamError,
    open_grokweb,
)
from grok_app.upstream.grokweb import websocket
from tests.upstream.wire import Wire, answer, read_head

IMAGE = "aaaaaaaa-0000-4000-8000-000000000001"
PROMPT = ImaginePrompt("a red teapot", "2:3", has_adult_content=True)
MODERATED = b'{"error":{"code":"content-moderated","message":"rejected"}}'
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer:
    """The other end of an open socket."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.writer = writer
        self._reader = reader
        self._protocol = Connection(ConnectionType.SERVER)

    def say(self, event: Event) -> None:
        """Send an event."""
        self.writer.write(self._protocol.send(event))

    def tell(self, **fields: object) -> None:
        """Send a JSON object."""
        self.say(TextMessage(data=orjson.dumps(fields).decode()))

    async def hear(self) -> Event:
        """The next event."""
        while True:
            for event in self._protocol.events():
                return event
            self._protocol.receive_data(await self._reader.read(65536) or None)


@asynccontextmanager
async def site(play: Callable[[Peer], Awaitable[None]], **options: Any) -> AsyncGenerator[tuple[GrokWeb, Wire], None]:
    """A server that opens every socket and plays, and a client for it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        await play(Peer(head, reader, writer))

    async with Wire(serve).listen() as wire:
        all_options = GrokWebOptions(**{"base_url": wire.url, "user_agent": "UA", **options})
        async with open_grokweb(lambda: all_options) as client:
            yield client, wire


async def draw(client: GrokWeb) -> list[PictureFrame | PictureEnd]:
    """All frames of one prompt."""
    return [frame async for frame in client.imagine("T", PROMPT)]


async def test_pictures_come_as_they_are_sent() -> None:
    """The prompt of section 4.1 goes out with the headers of 1.6; every stage comes in, of any size."""
    asked: list[Any] = []

    async def play(peer: Peer) -> None:
        message = await peer.hear()
        assert isinstance(message, TextMessage)
        asked.extend((peer.head, orjson.loads(message.data)))
        url = f"https://imagine-public.x.ai/imagine-public/images/{IMAGE}"
        peer.tell(type="image", url=f"{url}.png", blob="data:image/png;base64,AAAA")
        peer.tell(type="news")
        peer.say(TextMessage(data="no JSON"))
        peer.tell(type="image", url=f"{url}.jpg", blob="B" * 3_000_000, order=1)
        peer.tell(type="json", current_status="start_stage", image_id=IMAGE)
        peer.tell(type="json", current_status="completed", image_id=IMAGE, order=1, moderated=True)
        peer.say(CloseConnection(code=1000))
        await peer.hear()

    async with site(play) as (client, wire):
        frames = await draw(client)
        origin = wire.url.rstrip("/").encode()
    first, second, end = frames
    assert isinstance(first, PictureFrame)
    assert isinstance(second, PictureFrame)
    assert (first.image_id, first.blob, first.order) == (IMAGE, "AAAA", None)
    assert (second.image_id, second.blob_length, second.order) == (IMAGE, 3_000_000, 1)
    assert second.url.endswith(".jpg")
    assert end == PictureEnd(IMAGE, 1, is_moderated=True)
    head, said = asked
    assert head.startswith(b"GET /ws/imagine/listen HTTP/1.1\r\n")
    for line in (b"Origin: " + origin, b"User-Agent: UA", b"Cookie: sso=T; sso-rw=T", b"Pragma: no-cache"):
        assert line + b"\r\n" in head
    [content] = said["item"]["content"]
    assert (said["type"], content["text"], content["type"]) == ("conversation.item.create", PROMPT.text, "input_text")
    assert content["properties"] == {
        "section_count": 0,
        "is_kids_mode": False,
        "enable_nsfw": True,
        "skip_upsampler": False,
        "is_initial": False,
        "aspect_ratio": "2:3",
    }


@pytest.mark.parametrize("frames", [0, 1], ids=["before a picture", "after one"])
async def test_closing_the_generator_closes_the_socket_at_once(frames: int) -> None:
    """A caller who has seen enough, or goes away, leaves nothing open."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def play(peer: Peer) -> None:
        await peer.hear()
        for _ in range(frames):
            peer.tell(type="image", blob="A")
        asked.set()
        closed = await peer.hear()
        assert isinstance(closed, CloseConnection)
        gone.set()

    async def ask(client: GrokWeb) -> None:
        async with aclosing(client.imagine("T", PROMPT)) as pictures:
            async for _ in pictures:
                return

    async with site(play) as (client, _):
        asking = asyncio.create_task(ask(client))
        await asked.wait()
        if not frames:
            asking.cancel()
        await asyncio.wait_for(gone.wait(), 1)
        await asyncio.wait([asking])


async def test_pings_go_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours every 20 s (here sooner); Grok's are answered."""
    monkeypatch.setattr(websocket, "_PING_EVERY_S", 0.02)
    heard: list[Event] = []

    async def play(peer: Peer) -> None:
        peer.say(Ping(payload=b"x"))
        while sum(isinstance(event, Ping) for event in heard) < 2 or Pong(payload=b"x") not in heard:
            heard.append(await peer.hear())
        peer.say(CloseConnection(code=1000))
        await peer.hear()

    async with site(play) as (client, _):
        assert await draw(client) == []


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (
            TextMessage(data='{"type":"error","err_code":"rate_limit_exceeded","err_msg":"Image limit"}'),
            ErrorKind.RATE_LIMITED,
        ),
        (TextMessage(data='{"type":"error","err_code":"rate_limit_exceeded"}'), ErrorKind.RATE_LIMITED),
        (TextMessage(data='{"type":"error"}'), ErrorKind.UNAVAILABLE),
        (BytesMessage(data=b"x"), ErrorKind.PROTOCOL),
    ],
    ids=["limited", "limited, no words", "no reason", "binary"],
)
async def test_an_error_frame_is_an_error(event: Event, kind: ErrorKind) -> None:
    """By its code and words."""

    async def play(peer: Peer) -> None:
        await peer.hear()
        peer.say(event)
        await peer.hear()

    async with site(play) as (client, _):
        with pytest.raises(UpstreamError) as raised:
            await draw(client)
    assert raised.value.kind is kind


async def test_a_socket_that_breaks_is_unavailable() -> None:
    """A connection that ends without a closing frame, in the middle of a message, is a fault."""

    async def play(peer: Peer) -> None:
        await peer.hear()
        peer.say(TextMessage(data='{"type":', message_finished=False))

    async with site(play) as (client, _):
        with pytest.raises(UpstreamError, match="ended without a word") as raised:
            await draw(client)
    assert raised.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("first_s", "idle_s", "frames"), [(0.1, 30, 0), (30, 0.1, 1)], ids=["before a picture", "after one"]
)
async def test_silence_is_a_timeout(first_s: float, idle_s: float, frames: int) -> None:
    """Pings and frames without a picture don't count as an answer."""

    async def play(peer: Peer) -> None:
        await peer.hear()
        for _ in range(frames):
            peer.tell(type="image", blob="A")
        peer.tell(type="json", current_status="start_stage")
        await peer.hear()

    options = {"image_first_frame_timeout_s": first_s, "image_idle_timeout_s": idle_s}
    async with site(play, **options) as (client, _):
        with pytest.raises(UpstreamError, match=r"no picture for 0\.1 s") as raised:
            await draw(client)
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_a_message_has_a_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message without an end doesn't fill the memory."""
    monkeypatch.setattr(websocket, "_MESSAGE_LIMIT", 1000)

    async def play(peer: Peer) -> None:
        await peer.hear()
        peer.say(TextMessage(data="x" * 600, message_finished=False))
        peer.say(TextMessage(data="x" * 600, message_finished=False))
        await peer.hear()

    async with site(play) as (client, _):
        with pytest.raises(UpstreamError, match="message of more than") as raised:
            await draw(client)
    assert raised.value.kind is ErrorKind.PROTOCOL


@pytest.mark.parametrize(
    ("said", "kind", "questions"),
    [
        (answer(429, b"", Retry_After="37"), ErrorKind.RATE_LIMITED, 1),
        (answer(401, b""), ErrorKind.INVALID_CREDENTIAL, 1),
        (answer(403, MODERATED), ErrorKind.MODERATED, 2),
        (answer(403, b'{"code":7,"message":"User is blocked"}'), ErrorKind.BLOCKED_ACCOUNT, 2),
        (answer(403, b"<!doctype html><title>Just a moment...</title>"), ErrorKind.ANTI_BOT, 2),
        (answer(200, b"hello"), ErrorKind.PROTOCOL, 1),
        (answer(503, b""), ErrorKind.UNAVAILABLE, 1),
    ],
    ids=["429", "401", "moderated", "blocked", "challenge", "no upgrade", "503"],
)
async def test_a_refused_upgrade_is_classified(said: bytes, kind: ErrorKind, questions: int) -> None:
    """By its status, and where that is not enough by the words, for which the same is asked once more."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_head(reader))
        writer.write(said)
        await reader.read()

    async with Wire(serve).listen() as wire, open_grokweb(lambda: GrokWebOptions(base_url=wire.url)) as client:
        with pytest.raises(UpstreamError) as raised:
            await draw(client)
    assert (raised.value.kind, len(asked)) == (kind, questions)
    assert all(b"Upgrade: websocket\r\n" in head and b"sso=T" in head for head in asked)
    assert raised.value.retry_after_s == (37 if kind is ErrorKind.RATE_LIMITED else None)


async def test_nobody_there_is_unavailable() -> None:
    """As for any request."""
    async with open_grokweb(lambda: GrokWebOptions(base_url="http://127.0.0.1:1/")) as client:
        with pytest.raises(UpstreamError) as raised:
            await draw(client)
    assert raised.value.kind is ErrorKind.UNAVAILABLE
