"""Server-sent events, with a hand-held connection."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.api.request_scope import IS_HEAD
from grok_app.api.sse import DONE, KEEP_ALIVE_S, STALLED_S, EndlessStream, EventStream, LastEvent
from grok_app.errors import GatewayError, RateLimitedError
from grok_app.stopping import SERVER_STOPS
from tests import clock

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


async def test_the_last_event_ends_the_stream() -> None:
    """It leaves with the end in one write, and nothing after it."""
    connection = Connection()

    await serve(connection, Source(b"a", LastEvent(b"b"), b"c"))

    assert connection.bodies() == [b"a", b"b"]
    check_whole(connection)


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


class Slow(Connection):
    """A client whose connection takes so long for a message, or stands still for a while."""

    def __init__(self, takes_s: float = 0.0) -> None:
        super().__init__()
        self.takes_s = takes_s

    async def send(self, message: Any) -> None:
        """Take a message, once there is room for it."""
        await asyncio.sleep(self.takes_s)
        await super().send(message)


FOREVER = 1e9
BYE = b"data: bye\n\n"
NO_SERVER = b"error: The server is stopping. Please try again later."


def stoppable(source: Source, stopped: asyncio.Event) -> EventStream:
    """A stream that says goodbye when it is stopped."""
    return EventStream(source.give(), end_with, stopped=stopped, farewell=BYE)


async def run(stream: EventStream, connection: Connection, **scope: Any) -> None:
    """Send a stream."""
    await stream(cast("Any", {**SCOPE, **scope}), connection.receive, connection.send)


def check_whole(connection: Connection) -> None:
    """One head, one end, nothing before or after."""
    head, *_, last = connection.sent
    assert [message["type"] for message in connection.sent].count("http.response.start") == 1
    assert head["type"] == "http.response.start"
    assert [message.get("more_body", False) for message in connection.sent[1:]].count(False) == 1
    assert not last.get("more_body", False)


@pytest.mark.parametrize("events", [(), (b"a",)], ids=["before the first event", "after it"])
async def test_a_stream_that_is_stopped_says_goodbye(events: tuple[bytes, ...]) -> None:
    """Its farewell is the last thing in it, and its source is closed."""
    connection, source, stopped = Connection(), Source(*events, is_endless=True), asyncio.Event()
    serving = asyncio.create_task(run(stoppable(source, stopped), connection))
    for _ in range(9):
        await asyncio.sleep(0)
    stopped.set()
    await serving
    assert connection.bodies() == [*events, BYE]
    assert source.is_closed
    check_whole(connection)


async def test_a_stream_that_was_stopped_before_is_none() -> None:
    """It says goodbye at once."""
    connection, source, stopped = Connection(), Source(is_endless=True), asyncio.Event()
    stopped.set()
    await run(stoppable(source, stopped), connection)
    assert connection.bodies() == [BYE]
    check_whole(connection)


def test_a_stopped_stream_waits_for_nobody_who_does_not_read() -> None:
    """Whoever stops it has freed its account within a second, though a write was blocked."""

    async def stop() -> None:
        connection, source, stopped = Slow(), Source(b"a", b"b", is_endless=True), asyncio.Event()
        serving = asyncio.create_task(run(stoppable(source, stopped), connection))
        await connection.next_body()
        connection.takes_s = FOREVER
        await asyncio.sleep(1)
        stopped.set()
        await asyncio.sleep(0.1)
        assert source.is_closed
        await serving
        assert clock.now() <= 2

    clock.run(stop())


def test_a_client_that_reads_no_more_is_left() -> None:
    """A minute after the silence was to be filled; its source is closed, and nobody says goodbye to it."""

    async def stall() -> None:
        connection, source = Slow(FOREVER), Source(b"a", is_endless=True)
        await run(EventStream(source.give(), end_with), connection)
        assert clock.now() == KEEP_ALIVE_S + STALLED_S
        assert source.is_closed
        assert connection.sent == []

    clock.run(stall())


def test_a_client_that_reads_slowly_is_not_left() -> None:
    """As long as it takes something within a minute."""

    async def read() -> None:
        connection = Slow(STALLED_S / 3)
        await serve(connection, Source(*[b"event"] * 20))
        assert [body for body in connection.bodies() if not body.startswith(b":")] == [b"event"] * 20 + [b""]
        check_whole(connection)

    clock.run(read())


def test_comments_fill_every_silence_and_no_more() -> None:
    """An event every ten seconds needs none; a silence of a minute has three of them, fifteen seconds apart."""

    async def listen() -> None:
        connection = Connection()

        async def give() -> AsyncGenerator[bytes, None]:
            for silence_s in (10, 10, 60, 10):
                await asyncio.sleep(silence_s)
                yield b"event"

        await run(EventStream(give(), end_with), connection)
        comment = b": keep-alive\n\n"
        assert connection.bodies() == [b"event", b"event", *[comment] * 3, b"event", b"event", b""]

    clock.run(listen())


async def test_an_endless_stream_ends_with_the_server() -> None:
    """As soon as the server stops, with an error and no crash."""
    connection, source, stopping = Connection(), Source(b"a", is_endless=True), asyncio.Event()
    serving = asyncio.create_task(run(EndlessStream(source.give(), end_with), connection, **{SERVER_STOPS: stopping}))
    await connection.next_body()
    stopping.set()
    await serving
    assert connection.bodies() == [b"a", NO_SERVER]
    assert source.is_closed
    check_whole(connection)


def test_a_stream_with_an_end_may_reach_it_while_the_server_stops() -> None:
    """It is cut only when the server waits no longer."""

    async def reach() -> None:
        connection, stopping = Connection(), asyncio.Event()
        stopping.set()

        async def give() -> AsyncGenerator[bytes, None]:
            for _ in range(3):
                await asyncio.sleep(1)
                yield b"a"

        await run(EventStream(give(), end_with), connection, **{SERVER_STOPS: stopping})
        assert connection.bodies() == [b"a", b"a", b"a", b""]

    clock.run(reach())


async def test_who_stops_a_stream_has_the_last_word() -> None:
    """Also while the server stops: one goodbye is enough."""
    connection, stopped = Connection(), asyncio.Event()
    stopped.set()
    stream = EndlessStream(Source(is_endless=True).give(), end_with, stopped=stopped, farewell=BYE)
    await run(stream, connection, **{SERVER_STOPS: stopped})
    assert connection.bodies() == [BYE]


def test_an_error_while_the_head_is_written_is_part_of_the_stream() -> None:
    """A comment begins the response at the moment in which the source fails: there is one head."""

    async def fail() -> None:
        connection = Slow(2)

        async def give() -> AsyncGenerator[bytes, None]:
            await asyncio.sleep(KEEP_ALIVE_S + 1)
            raise RateLimitedError("Later")
            yield b""

        await run(EventStream(give(), end_with), connection)
        check_whole(connection)
        assert connection.sent[0]["status"] == 200
        assert connection.bodies() == [b": keep-alive\n\n", b"error: Later"]

    clock.run(fail())


async def test_whoever_asks_for_the_head_alone_starts_nothing() -> None:
    """It is answered at once, and the source is never asked."""
    connection = Connection()

    async def give() -> AsyncGenerator[bytes, None]:
        raise AssertionError("asked")
        yield b""

    await run(EventStream(give(), end_with), connection, **{IS_HEAD: True})
    assert connection.bodies() == [b""]
    check_whole(connection)


TIMES = st.one_of(st.none(), st.integers(0, 80).map(lambda halves: halves / 2))
"""When something happens, if it does."""


@given(
    silences=st.lists(st.sampled_from([0.0, 0.5, 3.0, 14.5, 15.0, 15.5, 31.0]), max_size=4),
    takes_s=st.sampled_from([0.0, 0.5, 2.0]),
    error=st.sampled_from([None, RateLimitedError("Later")]),
    ends=st.tuples(TIMES, TIMES, TIMES, TIMES),
)
def test_a_response_is_whole_whatever_ends_it(
    silences: list[float], takes_s: float, error: RateLimitedError | None, ends: Sequence[float | None]
) -> None:
    """The end, an error, a stop, the client, the server, in any order: one head, one end, the source's events between.

    They are all there unless something else ended the stream, and there is one word after them at most.
    """
    connection = Slow(takes_s)

    async def give() -> AsyncGenerator[bytes, None]:
        for number, silence_s in enumerate(silences):
            await asyncio.sleep(silence_s)
            yield b"event %d" % number
        if error:
            raise error

    async def happen() -> None:
        stopped, stopping, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
        stream = EndlessStream(give(), end_with, stopped=stopped, farewell=BYE)
        serving = asyncio.create_task(run(stream, connection, **{SERVER_STOPS: stopping}))
        happens: list[Callable[[], object]] = [stopped.set, connection.gone.set, stopping.set, serving.cancel]
        for at_s, end in zip(ends, happens, strict=True):
            if at_s is not None:
                loop.call_at(at_s, end)
        [ended] = await asyncio.gather(serving, return_exceptions=True)
        assert ended is None or isinstance(ended, asyncio.CancelledError)

    clock.run(happen())
    bodies = [body for body in connection.bodies() if body and not body.startswith(b":")]
    events = [body for body in bodies if body.startswith(b"event")]
    assert events == [b"event %d" % number for number in range(len(events))]
    assert bodies[: len(events)] == events
    assert len(bodies) <= len(events) + 1
    types = [message["type"] for message in connection.sent]
    assert types == ["http.response.start", *["http.response.body"] * (len(types) - 1)][: len(types)]
    assert all(message["more_body"] for message in connection.sent[1:-1])
    if ends == (None,) * 4:
        assert len(events) == len(silences)
        check_whole(connection)
