"""The orderly end of a worker, with an app that says what became of its requests."""

import asyncio
from typing import Any

import pytest

from grok_app.stopping import SERVER_STOPS, Drain, Draining, Word, server_stops
from tests import clock


class Held:
    """An app whose requests last until they are let go, or the server stops; knows what became of them."""

    def __init__(self, *, heeds_stop: bool) -> None:
        self.may_end = asyncio.Event()
        self.stopping = asyncio.Event()
        self.running = 0
        self.ended: list[str] = []
        self._heeds_stop = heeds_stop

    async def __call__(self, scope: Any, *_: Any) -> None:
        """Serve."""
        if scope["type"] == "lifespan":
            return
        self.running += 1
        self.stopping = scope[SERVER_STOPS]
        assert server_stops.get() is self.stopping
        try:
            await (self.stopping if self._heeds_stop else self.may_end).wait()
            self.ended.append("by itself")
        except asyncio.CancelledError:
            self.ended.append("cut")
            raise


class Refusal:
    """Counts who came too late."""

    def __init__(self) -> None:
        self.refused = 0

    async def __call__(self, *_: Any) -> None:
        """Refuse."""
        self.refused += 1


async def ask(app: Draining, kind: str = "http") -> None:
    """Send it a request, a socket or the lifespan."""
    await app({"type": kind}, None, None)  # type: ignore[arg-type] # not used


async def begun(held: Held, drain: Drain, kinds: list[str]) -> list[asyncio.Task[None]]:
    """These requests, under way in a server that watches for its end."""
    app = Draining(held, drain, Refusal())
    await ask(app, "lifespan")
    requests = [asyncio.create_task(ask(app, kind)) for kind in kinds]
    await asyncio.sleep(0)
    assert held.running == len(kinds)
    return requests


async def test_a_request_under_way_is_cut_after_the_grace_time() -> None:
    """An endless stream doesn't keep the worker from closing its services, and its end is no error of the server's."""
    held, drain = Held(heeds_stop=False), Drain(grace_s=0.01)
    [request] = await begun(held, drain, ["http"])
    assert not request.done()
    drain.stop.say()
    await request
    assert held.ended == ["cut"]


def test_the_grace_time_is_what_was_given() -> None:
    """To the second."""

    async def stop() -> None:
        held, drain = Held(heeds_stop=False), Drain(grace_s=30)
        [request] = await begun(held, drain, ["http"])
        drain.stop.say()
        await request
        assert held.ended == ["cut"]
        assert clock.now() == 30

    clock.run(stop())


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_request_is_told_that_the_server_stops(kind: str) -> None:
    """At once, so that what has no end of its own needn't be cut."""
    held, drain = Held(heeds_stop=True), Drain(grace_s=3600)
    [request] = await begun(held, drain, [kind])
    assert not request.done()
    drain.stop.say()
    await request
    assert held.ended == ["by itself"]


async def test_answers_under_way_may_end_while_the_server_stops() -> None:
    """Within the grace time nobody is cut."""
    held, drain = Held(heeds_stop=False), Drain(grace_s=3600)
    requests = await begun(held, drain, ["http", "http"])
    drain.stop.say()
    await held.stopping.wait()
    held.may_end.set()
    await asyncio.gather(*requests)
    assert held.ended == ["by itself"] * 2


@pytest.mark.parametrize("is_stopping", [True, False], ids=["later", "at once"])
async def test_the_grace_time_can_be_ended(is_stopping: bool) -> None:
    """By the other word, whether or not the first was heard before."""
    held, drain = Held(heeds_stop=False), Drain(grace_s=3600)
    requests = await begun(held, drain, ["http", "websocket"])
    if is_stopping:
        drain.stop.say()
        await held.stopping.wait()
    assert held.ended == []
    drain.cut.say()
    await asyncio.gather(*requests)
    assert held.ended == ["cut"] * 2


@pytest.mark.parametrize(("signal_s", "ends_s"), [(1, 4), (3, 5)], ids=["by the grace time", "by a second signal"])
def test_last_words_are_not_interrupted(signal_s: int, ends_s: int) -> None:
    """By whichever comes later: the answers are being ended already."""
    said: list[float] = []

    async def talkative(scope: Any, *_: Any) -> None:
        if scope["type"] == "http":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(3)
                said.append(clock.now())
                raise

    async def stop() -> None:
        drain = Drain(grace_s=2)
        app = Draining(talkative, drain, Refusal())
        await ask(app, "lifespan")
        request = asyncio.create_task(ask(app))
        await asyncio.sleep(0)
        drain.stop.say()
        await asyncio.sleep(signal_s)
        drain.cut.say()
        await request

    clock.run(stop())
    assert said == [ends_s]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_whoever_comes_too_late_is_refused(kind: str) -> None:
    """And never reaches the app."""
    held, refusal, drain = Held(heeds_stop=True), Refusal(), Drain(grace_s=3600)
    app = Draining(held, drain, refusal)
    await ask(app, "lifespan")
    drain.stop.say()
    await ask(app)
    assert refusal.refused == 0
    await ask(app, kind)
    assert (held.running, refusal.refused) == (1, 1)


async def test_every_worker_hears_a_word() -> None:
    """It stays in the pipe, for one that begins to watch later too."""
    word = Word()
    assert not word.was_said()
    word.say()
    for _ in range(2):
        assert word.was_said()
        heard = asyncio.Event()
        word.watch(heard.set)
        await heard.wait()


async def test_a_cancellation_that_is_not_the_servers_comes_out() -> None:
    """Only its own cut is swallowed."""
    held, drain = Held(heeds_stop=False), Drain(grace_s=3600)
    [request] = await begun(held, drain, ["http"])
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert held.ended == ["cut"]


def test_the_services_close_though_a_connection_stays() -> None:
    """Once connections had their time, and then the worker ends: granian would wait for them until it is killed."""
    told: list[str] = []

    async def services(_scope: Any, receive: Any, _send: Any) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            told.append(message["type"])
        told.append(f"shutdown after {clock.now():.0f} s")

    async def live() -> None:
        drain, messages = Drain(grace_s=3600), asyncio.Queue[dict[str, str]]()
        messages.put_nowait({"type": "lifespan.startup"})
        app = Draining(services, drain, Refusal())
        drain.stop.say()
        await app({"type": "lifespan"}, messages.get, None)  # type: ignore[arg-type] # not used
        await asyncio.Event().wait()

    with pytest.raises(SystemExit):
        clock.run(live())
    assert told == ["lifespan.startup", "shutdown after 2 s"]
