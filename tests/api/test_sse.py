"""Server-sent events, with a hand-held connection."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from grok_app.api.sse import DONE, EventStream
from grok_app.api.until import until_disconnect
from grok_app.errors import GatewayError, RateLimitedError

Message = dict[str, Any]
SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}


class Connection:
    """A client that takes what it is sent, and goes away when told."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        """The disconnect, when it comes."""
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take a message."""
        self.sent.append(message)
        self.arrived.set()

    def bodies(self) -> list[bytes]:
        """Each piece of the body."""
        return [message["body"] for message in self.sent if message["type"] == "http.response.body"]

    async def next_body(self) -> bytes:
        """The latest piece of the body, once there is a new one."""
        count = len(self.bodies())
        while len(self.bodies()) == count:
            self.arrived.clear()
            await self.arrived.wait()
        return self.bodies()[-1]


class Source:
    """Gives events, then waits, fails or ends; knows whether it was closed."""

    def __init__(self, *events: bytes, error: Exception | None = None, is_endless: bool = False) -> None:
        self.is_closed = False
        self._events, self._error, self._is_endless = events, error, is_endless

    async def give(self) -> AsyncGenerator[bytes, None]:
        """The events."""
        try:
            for event in self._events:
                yield event
            if self._is_endless:
                await asyncio.Event().wait()
            if self._error:
                raise self._error
        finally:
            self.is_closed = True


def end_with(error: GatewayError) -> bytes:
    """What ends a broken stream."""
    return f"error: {error.message}".encode()


async def serve(connection: Connection, source: Source) -> None:
    """Serve all of a stream."""
    await EventStream(source.give(), end_with)(cast("Any", SCOPE), connection.receive, connection.send)


async def test_each_event_is_one_write() -> None:
    """Events leave as they come, behind a head that forbids buffering, and the response ends in order."""
    connection = Connection()

    await serve(connection, Source(b"a", b"b", DONE))

    head, *_, last = connection.sent
    assert head["status"] == 200
    assert dict(head["headers"]) == {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
    }
    assert connection.bodies() == [b"a", b"b", DONE, b""]
    assert last["more_body"] is False


async def test_a_long_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment goes out after each interval of silence, before the first event as well, and starts the response."""
    monkeypatch.setattr("grok_app.api.sse.KEEP_ALIVE_S", 0.01)
    connection, source = Connection(), Source(is_endless=True)
    serving = asyncio.create_task(serve(connection, source))

    comments = [await connection.next_body() for _ in range(3)]
    connection.gone.set()
    await serving

    assert comments == [b": keep-alive\n\n"] * 3
    assert [message["type"] for message in connection.sent][:2] == ["http.response.start", "http.response.body"]


async def test_a_stream_says_what_it_likes_in_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of other gateways know other comments."""
    monkeypatch.setattr("grok_app.api.sse.KEEP_ALIVE_S", 0.01)
    connection, source = Connection(), Source(is_endless=True)
    stream = EventStream(source.give(), end_with, comment="ping")
    serving = asyncio.create_task(stream(cast("Any", SCOPE), connection.receive, connection.send))

    assert await connection.next_body() == b": ping\n\n"
    connection.gone.set()
    await serving


async def test_a_lively_stream_has_no_comments() -> None:
    """Nothing but events goes out while events come more often than the interval."""
    connection = Connection()

    await serve(connection, Source(*[b"event"] * 1000))

    assert connection.bodies() == [b"event"] * 1000 + [b""]


async def test_an_error_before_the_first_event_is_an_http_error() -> None:
    """As long as nothing was sent, the error keeps its own status."""
    connection = Connection()

    await serve(connection, Source(error=RateLimitedError("Later", retry_after_s=2.1)))

    assert connection.sent[0]["status"] == 429
    assert (b"retry-after", b"3") in connection.sent[0]["headers"]
    assert b'"Later"' in connection.bodies()[0]


async def test_an_error_after_the_first_event_ends_the_stream() -> None:
    """Once the response has begun, an error is the last thing in it."""
    connection = Connection()

    await serve(connection, Source(b"a", error=RateLimitedError("Later")))

    assert connection.bodies() == [b"a", b"error: Later"]


async def test_an_error_after_a_comment_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment has begun the response too: an error after it can't have a status any more."""
    monkeypatch.setattr("grok_app.api.sse.KEEP_ALIVE_S", 0.01)
    connection = Connection()
    has_comment = asyncio.Event()

    async def fail_later() -> AsyncGenerator[bytes, None]:
        await has_comment.wait()
        raise RateLimitedError("Later")
        yield b""

    stream = EventStream(fail_later(), end_with)
    serving = asyncio.create_task(stream(cast("Any", SCOPE), connection.receive, connection.send))
    await connection.next_body()
    has_comment.set()
    await serving

    assert connection.sent[0]["status"] == 200
    assert connection.bodies()[-1:] == [b"error: Later"]


async def test_a_bug_after_the_first_event_is_told_without_details() -> None:
    """A crash in the middle ends the stream as an internal error; its reason stays in the log."""
    connection = Connection()

    await serve(connection, Source(b"a", error=ZeroDivisionError("secret detail")))

    assert connection.bodies() == [b"a", b"error: Internal server error"]


async def test_a_bug_before_the_first_event_escapes() -> None:
    """A crash before the response is for the middleware, which makes a 500 of it."""
    with pytest.raises(ZeroDivisionError):
        await serve(Connection(), Source(error=ZeroDivisionError()))


@pytest.mark.parametrize("events", [(), (b"a",)], ids=["before the first event", "after it"])
async def test_a_client_that_goes_away_closes_the_source(events: tuple[bytes, ...]) -> None:
    """The generator is closed before the response returns, so that nothing goes on behind it."""
    connection, source = Connection(), Source(*events, is_endless=True)
    serving = asyncio.create_task(serve(connection, source))
    if events:
        await connection.next_body()
    else:
        await asyncio.sleep(0)
    connection.gone.set()
    await serving

    assert source.is_closed or not events
    assert connection.bodies() == list(events)


async def test_a_stream_that_the_server_must_stop_ends_with_an_error() -> None:
    """A server that stops ends its streams with an error, closes their source, and does not hide the cancellation."""
    connection, source = Connection(), Source(b"a", is_endless=True)
    serving = asyncio.create_task(serve(connection, source))
    await connection.next_body()
    serving.cancel()

    with pytest.raises(asyncio.CancelledError):
        await serving

    assert connection.bodies() == [b"a", b"error: The server is stopping. Please try again later."]
    assert source.is_closed


async def test_work_goes_on_while_the_client_waits() -> None:
    """Whoever stays gets the result."""

    async def work() -> str:
        return "done"

    assert await until_disconnect(work(), Connection().receive) == "done"


async def test_work_stops_when_the_client_goes() -> None:
    """Whoever leaves stops the work, and its clean-up has run when the caller is told."""
    connection = Connection()
    cleaned: list[str] = []

    async def work() -> str:
        try:
            connection.gone.set()
            await asyncio.Event().wait()
        finally:
            cleaned.append("up")
        return "never"

    assert await until_disconnect(work(), connection.receive) is None
    assert cleaned == ["up"]


async def test_an_error_of_the_work_is_the_callers() -> None:
    """What the work raises comes out as it is."""

    async def work() -> None:
        raise RateLimitedError("Later")

    with pytest.raises(RateLimitedError):
        await until_disconnect(work(), Connection().receive)
