"""One question, one whole answer."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from grok_app.upstream import ErrorKind, GrokWebOptions, UpstreamError
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.unary import Question, ask
from tests.upstream.wire import Wire, answer, chunk, read_request

OPTIONS = GrokWebOptions()
LIMIT_BYTES = 64 << 10


@pytest.fixture
async def transport() -> AsyncGenerator[Transport, None]:
    """A transport that is closed afterwards."""
    opened = Transport()
    yield opened
    await opened.close()


def question(url: str, *, timeout_s: float = 5) -> Question:
    """Any question."""
    return Question(url, [b"Cookie: sso=secret"], b"{}", timeout_s)


def saying(said: bytes) -> Wire:
    """A server that says this and waits."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(said)

    return Wire(serve)


async def test_a_reply_is_whole(transport: Transport) -> None:
    """Status, headers, body and trailers; a trailer doesn't replace the header of its name."""
    head = b"HTTP/1.1 201 X\r\nX-A: 1\r\nX-B: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    said = head + chunk(b"one") + chunk(b"two") + b"0\r\nX-B: 2\r\nX-C: 3\r\n\r\n"
    async with saying(said).listen() as wire:
        reply = await ask(transport, OPTIONS, question(wire.url))
    assert (reply.status, reply.body) == (201, b"onetwo")
    assert (reply.headers["x-a"], reply.headers["x-b"]) == ("1", "1")
    assert reply.trailers == {"x-b": "2", "x-c": "3"}


async def test_connections_are_kept(transport: Transport) -> None:
    """Questions one after another share a connection, whatever the answers."""
    async with saying(answer(429, b"no")).listen() as wire:
        for _ in range(3):
            assert (await ask(transport, OPTIONS, question(wire.url))).body == b"no"
    assert wire.connections == 1


@pytest.mark.parametrize("status", [200, 401])
async def test_a_body_of_64_kib_is_read(transport: Transport, status: int) -> None:
    """As much as that belongs to a reply, whatever it says."""
    async with saying(answer(status, b"x" * LIMIT_BYTES)).listen() as wire:
        reply = await ask(transport, OPTIONS, question(wire.url))
    assert (reply.status, len(reply.body)) == (status, LIMIT_BYTES)


async def test_a_longer_body_is_no_answer(transport: Transport) -> None:
    """One byte more is an error that has the status."""
    async with saying(answer(200, b"x" * (LIMIT_BYTES + 1))).listen() as wire:
        with pytest.raises(UpstreamError, match="longer than 64 KiB") as raised:
            await ask(transport, OPTIONS, question(wire.url))
    assert (raised.value.kind, raised.value.status) == (ErrorKind.PROTOCOL, 200)


async def test_a_longer_refusal_is_cut(transport: Transport) -> None:
    """The beginning of an explanation says enough."""
    async with saying(answer(401, b"x" * (LIMIT_BYTES + 1))).listen() as wire:
        reply = await ask(transport, OPTIONS, question(wire.url))
    assert (reply.status, len(reply.body)) == (401, LIMIT_BYTES)


async def test_the_time_limit_is_for_the_whole_answer(transport: Transport) -> None:
    """A server that says a little now and then is stopped too, and its connection closed."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        closed = asyncio.ensure_future(reader.read())
        while not closed.done():
            writer.write(chunk(b"x"))
            await asyncio.wait([closed], timeout=0.02)
        gone.set()

    async with Wire(serve).listen() as wire:
        with pytest.raises(UpstreamError, match=r"not complete within 0\.3 s") as raised:
            await ask(transport, OPTIONS, question(wire.url, timeout_s=0.3))
        await asyncio.wait_for(gone.wait(), 5)
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_silence_is_a_timeout(transport: Transport) -> None:
    """A server that says nothing is not waited for."""
    async with saying(b"").listen() as wire:
        with pytest.raises(UpstreamError) as raised:
            await ask(transport, OPTIONS, question(wire.url, timeout_s=0.1))
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_a_refusal_without_its_explanation_is_one(transport: Transport) -> None:
    """The status counts, though the body never comes."""
    async with saying(b"HTTP/1.1 401 X\r\nContent-Length: 5\r\n\r\n").listen() as wire:
        reply = await ask(transport, OPTIONS, question(wire.url))
    assert reply.refusal().kind is ErrorKind.INVALID_CREDENTIAL


async def test_who_asked_may_leave(transport: Transport) -> None:
    """A cancelled question is cancelled, not timed out."""
    async with saying(b"").listen() as wire:
        asking = asyncio.create_task(ask(transport, OPTIONS, question(wire.url)))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


def test_a_question_keeps_its_cookie_to_itself() -> None:
    """No traceback or log shows the credential."""
    assert "secret" not in repr(question("http://127.0.0.1/"))
