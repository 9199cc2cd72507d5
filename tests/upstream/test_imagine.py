"""Pictures over a WebSocket, from a server that says what the test says."""

import asyncio
import gc
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.frame_protocol import Frame

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
from tests.upstream.sockets import Peer, open_up, site
from tests.upstream.wire import Wire, answer, read_head, read_request

IMAGE = "aaaaaaaa-0000-4000-8000-000000000001"
PROMPT = ImaginePrompt("a red teapot", "2:3", has_adult_content=True)
MODERATED = b'{"error":{"code":"content-moderated","message":"rejected"}}'


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


async def test_other_requests_follow_a_socket() -> None:
    """What opened a socket is used again for plain requests and for sockets."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_request(reader))
        if b"Upgrade" in asked[-1]:
            await open_up(asked[-1], reader, writer, say_one)
        else:
            writer.write(answer(200, b'{"remainingTokens":7}'))

    async def say_one(peer: Peer) -> None:
        await peer.hear()
        peer.tell(type="image", blob="A")
        await peer.hear()

    async with Wire(serve).listen() as wire, open_grokweb(lambda: GrokWebOptions(base_url=wire.url)) as client:
        for _ in range(3):
            async with aclosing(client.imagine("T", PROMPT)) as pictures:
                assert await anext(pictures) == PictureFrame(None, "", "A", None)
            assert (await client.quota("T")).remaining == 7
    assert [head.split()[0] for head in asked] == [b"GET", b"POST"] * 3


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


async def test_a_socket_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every other request to Grok does; the proxy is asked for a tunnel."""
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    tunnels: list[bytes] = []

    async def play(peer: Peer) -> None:
        await peer.hear()
        peer.tell(type="image", blob="A")
        peer.say(CloseConnection(code=1000))
        await peer.hear()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnels.append(await read_head(reader))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await open_up(await read_head(reader), reader, writer, play)

    async with Wire(serve).listen() as proxy:
        options = GrokWebOptions(base_url="http://grok.example/", proxy=proxy.url)
        async with open_grokweb(lambda: options) as client:
            assert await draw(client) == [PictureFrame(None, "", "A", None)]
    assert [tunnel.split(b"\r\n")[0] for tunnel in tunnels] == [b"CONNECT grok.example:80 HTTP/1.1"]


async def test_nobody_there_is_unavailable() -> None:
    """As for any request."""
    async with open_grokweb(lambda: GrokWebOptions(base_url="http://127.0.0.1:1/")) as client:
        with pytest.raises(UpstreamError) as raised:
            await draw(client)
    assert raised.value.kind is ErrorKind.UNAVAILABLE


async def test_a_left_socket_keeps_no_picture() -> None:
    """Whoever leaves after the last picture leaves nothing of it to the garbage collector, which comes late."""
    letter = "B" * 300_000

    async def play(peer: Peer) -> None:
        await peer.hear()
        peer.tell(type="image", url=f"https://imagine-public.x.ai/imagine-public/images/{IMAGE}.jpg", blob=letter)
        await peer.hear()

    gc.collect()
    gc.disable()
    try:
        async with site(play) as (client, _):
            async with aclosing(client.imagine("T", PROMPT)) as frames:
                assert isinstance(await anext(frames), PictureFrame)
            kept = [frame for frame in gc.get_objects() if isinstance(frame, Frame) and letter in str(frame.payload)]
    finally:
        gc.enable()
    assert not kept
