"""The transport, against a server that does exactly what the test says."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from grok_app.sandbox.misfits import bomb
from grok_app.upstream import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.call import Call
from grok_app.upstream.grokweb.transport import Transport
from tests.upstream.wire import Wire, chunk, read_request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Twice: 1\r\nX-Twice: 2\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def transport() -> AsyncGenerator[Transport, None]:
    """A transport that is closed afterwards."""
    opened = Transport()
    yield opened
    await opened.close()


def call(url: str, *, body: bytes = b"{}", first_s: float = 5, idle_s: float = 5, proxy: str = "") -> Call:
    """A POST to this address."""
    return Call(url, [b"X-A: 1", b"X-Empty;"], body, proxy, "chrome136", first_s, idle_s)


async def test_head_and_body_arrive_as_sent(transport: Transport) -> None:
    """Status, headers and bytes are those of the server, piece by piece."""
    step = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        assert request.startswith(b"POST / HTTP/1.1")
        assert b"X-A: 1\r\n" in request
        assert b"X-Empty:\r\n" in request
        assert b"Expect" not in request
        assert request.endswith(b'\r\n\r\n{"a":1}')
        writer.write(HEAD + chunk(b"one"))
        await step.wait()
        writer.write(chunk(b"two") + b"0\r\n\r\n")
        await reader.read()

    async with Wire(serve).listen() as wire, transport.send(call(wire.url, body=b'{"a":1}')) as response:
        assert response.status == 200
        assert response.headers["x-twice"] == "2"
        assert await response.read() == b"one"
        step.set()
        assert [await response.read(), await response.read()] == [b"two", b""]


async def test_a_bomb_goes_off_elsewhere(transport: Transport) -> None:
    """What unpacks to a gigabyte within one read ends the transfer after some MiB: it never is all in memory."""
    packed_twice = gzip.compress(bomb().body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n" + packed_twice)
        await reader.read()

    async with Wire(serve).listen() as wire, transport.send(call(wire.url)) as response:
        assert 0 < len(await response.read()) < 32 << 20
        with pytest.raises(UpstreamError) as caught:
            await response.read()
        assert caught.value.kind is ErrorKind.PROTOCOL


async def test_connections_are_kept(transport: Transport) -> None:
    """Requests one after another share a connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(HEAD + chunk(b"x") + b"0\r\n\r\n")

    async with Wire(serve).listen() as wire:
        for _ in range(5):
            async with transport.send(call(wire.url)) as response:
                assert await response.read_all(100) == b"x"
        assert wire.connections == 1


async def test_nothing_of_a_call_is_left_for_the_next(transport: Transport) -> None:
    """A handle is used again, for other methods, headers, limits and ways too; a call sees nothing of those before."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append(await read_request(reader))
            writer.write(HEAD + chunk(b"x") + b"0\r\n\r\n")

    async with Wire(serve).listen() as wire:
        plain = call(wire.url, body=b"long")
        others = [
            replace(plain, headers=[b"X-B: 2"], body=b"s"),
            replace(plain, method="GET"),
            replace(plain, method="DELETE"),
            replace(plain, total_timeout_s=0.05),
            replace(plain, browser="chrome131"),
            replace(plain, proxy=wire.url),
        ]
        for other in others:
            for each in (plain, other, plain):
                async with transport.send(each) as response:
                    assert await response.read_all(100) == b"x"
        with pytest.raises(UpstreamError, match="no-browser"):
            async with transport.send(replace(plain, browser="no-browser")):
                pass
        async with transport.send(plain) as response:
            await asyncio.sleep(0.1)  # longer than the limit of another call
            assert await response.read_all(100) == b"x"
    first = asked[0]
    assert [asked[at] for at in (*range(0, 18, 3), *range(2, 18, 3), -1)] == [first] * 13
    assert b"X-B: 2" in asked[1]
    assert asked[1].endswith(b"\r\n\r\ns")
    starts = [asked[at].split()[:2] for at in range(1, 18, 3)]
    assert [method for method, _ in starts] == [b"POST", b"GET", b"DELETE", b"POST", b"POST", b"POST"]
    assert starts[-1][1] == wire.url.encode()


@pytest.mark.parametrize(
    "answer", [b"", HEAD, HEAD + chunk(b"x")], ids=["before the head", "before the body", "within"]
)
async def test_leaving_closes_the_connection_at_once(transport: Transport, answer: bytes) -> None:
    """A caller who goes away ends the request, however far it has come."""
    asked = asyncio.Event()
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        asked.set()
        assert await reader.read() == b""
        gone.set()

    async def ask(url: str) -> None:
        async with transport.send(call(url)) as response:
            while await response.read():
                pass

    async with Wire(serve).listen() as wire:
        asking = asyncio.create_task(ask(wire.url))
        await asked.wait()
        asking.cancel()
        await asyncio.wait_for(gone.wait(), 1)
        with pytest.raises(asyncio.CancelledError):
            await asking


@pytest.mark.parametrize(
    ("answer", "first_s", "idle_s"),
    [(b"", 0.1, 30), (HEAD, 0.1, 30), (HEAD + chunk(b"x"), 30, 0.1)],
    ids=["before the head", "before the body", "within"],
)
async def test_silence_is_a_timeout(transport: Transport, answer: bytes, first_s: float, idle_s: float) -> None:
    """Nothing for longer than the limit that is in force ends the request with a TIMEOUT."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await reader.read()

    async def ask(url: str) -> None:
        async with transport.send(call(url, first_s=first_s, idle_s=idle_s)) as response:
            while await response.read():
                pass

    async with Wire(serve).listen() as wire:
        with pytest.raises(UpstreamError) as raised:
            await ask(wire.url)
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_a_slow_reader_is_not_a_silent_server(transport: Transport) -> None:
    """Time that the reader takes for itself is not counted against the server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD + chunk(b"one") + chunk(b"two") + b"0\r\n\r\n")
        await reader.read()

    async with Wire(serve).listen() as wire, transport.send(call(wire.url, idle_s=0.05)) as response:
        first = await response.read()
        await asyncio.sleep(0.2)
        assert first + await response.read_all(100) == b"onetwo"


async def test_a_cut_connection_is_unavailable(transport: Transport) -> None:
    """A body that breaks off is an error, not an end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD + chunk(b"one") + b"ff\r\nhalf")
        await writer.drain()

    async with Wire(serve).listen() as wire, transport.send(call(wire.url)) as response:
        with pytest.raises(UpstreamError, match="connection to Grok failed") as raised:
            await response.read_all(100)
    assert raised.value.kind is ErrorKind.UNAVAILABLE


async def test_nobody_there_is_unavailable(transport: Transport) -> None:
    """A refused connection is an error at once; a proxy's password is not in its text."""
    for proxy in ("", "http://user:hunter2@127.0.0.1:9"):
        with pytest.raises(UpstreamError) as raised:
            async with transport.send(call("http://127.0.0.1:9/", proxy=proxy)):
                pass
        assert raised.value.kind is ErrorKind.UNAVAILABLE
        assert "hunter2" not in str(raised.value)


async def test_a_reader_that_falls_behind_holds_the_server_back(transport: Transport) -> None:
    """What nobody reads is not taken from the network without bound, and nothing of it is lost."""
    sent = 0
    total = 24 << 20

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(HEAD)
        while sent < total:
            writer.write(chunk(b"x" * (64 << 10)))
            await writer.drain()
            sent += 64 << 10
        writer.write(b"0\r\n\r\n")
        await reader.read()

    async with Wire(serve).listen() as wire, transport.send(call(wire.url)) as response:
        first = await response.read()
        held = -1
        while held != sent:
            held = sent
            await asyncio.sleep(0.2)
        assert sent < total
        assert len(first) + len(await response.read_all(total)) == total


async def test_an_answer_that_ends_while_it_is_held_back_is_read_to_its_end(transport: Transport) -> None:
    """Its last piece is the one that was too much, so curl has nothing to go on with."""
    body = b"x" * (1 << 20)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await reader.read()

    async with Wire(serve).listen() as wire, transport.send(call(wire.url)) as response:
        await asyncio.sleep(0.3)
        assert await response.read_all(2 * len(body)) == body


async def test_many_at_once(transport: Transport) -> None:
    """Hundreds of requests side by side each get their own answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            writer.write(HEAD + chunk(request.rpartition(b"\r\n\r\n")[2]) + b"0\r\n\r\n")

    async def ask(url: str, number: int) -> bytes:
        async with transport.send(call(url, body=str(number).encode())) as response:
            return await response.read_all(100)

    async with Wire(serve).listen() as wire:
        answers = await asyncio.gather(*(ask(wire.url, number) for number in range(300)))
    assert answers == [str(number).encode() for number in range(300)]
