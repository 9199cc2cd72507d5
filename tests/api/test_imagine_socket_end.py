"""How a conversation over a WebSocket ends, with a hand-held connection and a run that never says anything new."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from starlette.websockets import WebSocket

from grok_app.access import Ticket, Tickets, Visitors
from grok_app.api.public.imagine_socket import _Conversation
from grok_app.api.sse import STALLED_S
from grok_app.imagine import Drawn, ImagesRequest, Picture, Stage
from grok_app.settings import Settings
from grok_app.stopping import SERVER_STOPS
from tests import clock
from tests.access.fixed import FixedSettings

WISH = ImagesRequest("a cat", 6, "2:3", "b64_json")
ADDRESS = "192.0.2.1"
FOREVER = 1e9
Message = dict[str, Any]


class Browser:
    """The other end: says what it is told to say, takes messages as fast as it is told, and hangs up when we do."""

    def __init__(self) -> None:
        self.orders: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: list[Any] = []
        self.takes_s = 0.0
        self.code: int | None = None
        self.orders.put_nowait({"type": "websocket.connect"})

    def say(self, **order: Any) -> None:
        """Send an order."""
        self.orders.put_nowait({"type": "websocket.receive", "text": orjson.dumps(order).decode()})

    def leave(self) -> None:
        """Hang up."""
        self.orders.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def send(self, message: Any) -> None:
        """Take a message."""
        await asyncio.sleep(self.takes_s)
        if message["type"] == "websocket.close":
            self.code = message["code"]
            self.leave()
        elif message["type"] == "websocket.send":
            self.heard.append(orjson.loads(message["text"]))

    def words(self) -> list[str]:
        """What was heard, in brief."""
        return [event.get("status") or event.get("code") or event["type"] for event in self.heard]


class Studio:
    """One visitor's conversation about one task, and the run behind it."""

    def __init__(self, limits: dict[str, int] | None = None) -> None:
        self.settings = FixedSettings(Settings.model_validate({"public": limits or {}}))
        self.visitors = Visitors(cast("Any", self.settings))
        self.tickets: Tickets[ImagesRequest] = Tickets(most_per_address=9)
        self.ticket: Ticket[ImagesRequest] | None = None
        self.browser = Browser()
        self.stopping = asyncio.Event()
        self.open = 0

    async def endless(self, _: ImagesRequest) -> AsyncGenerator[Drawn, None]:
        """A picture a second."""
        self.open += 1
        try:
            while True:
                await asyncio.sleep(1)
                yield Drawn(Picture(0, "id", Stage.FINAL, 0, ""), 0)
        finally:
            self.open -= 1

    async def hold(self) -> None:
        """Hold the conversation."""
        scope = {"type": "websocket", "headers": [], "client": (ADDRESS, 1), SERVER_STOPS: self.stopping}
        socket = WebSocket(scope, cast("Any", self.browser.orders.get), self.browser.send)
        env = SimpleNamespace(trusted_proxies=())
        imagine = SimpleNamespace(endless=self.endless)
        services = SimpleNamespace(env=env, visitors=self.visitors, imagine=imagine)
        await socket.accept()
        self.ticket = await self.tickets.issue(WISH, ADDRESS)
        await _Conversation(socket, cast("Any", services), self.ticket).hold()

    async def begin(self) -> "asyncio.Task[None]":
        """A conversation that has begun, with a run under way."""
        holding = asyncio.create_task(self.hold())
        self.browser.say(type="start")
        await asyncio.sleep(1.5)
        assert self.open == 1
        return holding

    async def stop(self) -> None:
        """Stop the task."""
        assert self.ticket
        await self.tickets.withdraw([self.ticket.id])

    def is_at_rest(self) -> bool:
        """Whether no run is under way, and the visitor's places are free again."""
        return not self.open and not self.visitors._tally._taken


@pytest.mark.parametrize("waits", [True, False], ids=["it waits", "it does not wait"])
def test_a_conversation_ends_with_the_server(waits: bool) -> None:
    """As soon as it stops: the visitor is told, the run ends, and the socket is closed, not cut."""

    async def converse() -> None:
        studio = Studio()
        holding = await studio.begin()
        studio.stopping.set()
        if not waits:
            holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        assert clock.now() == 1.5
        assert studio.browser.words()[-2:] == ["stopped", "shutting_down"]
        assert studio.browser.code == 1001
        assert studio.is_at_rest()

    clock.run(converse())


def test_a_task_that_is_stopped_ends_its_conversation() -> None:
    """The visitor is told, and the socket closed."""

    async def converse() -> None:
        studio = Studio()
        holding = await studio.begin()
        await studio.stop()
        await holding
        assert clock.now() == 1.5
        assert studio.browser.words()[-1] == "stopped"
        assert studio.browser.code == 1000
        assert studio.is_at_rest()

    clock.run(converse())


@pytest.mark.parametrize("end", ["task", "server"])
def test_a_visitor_who_reads_no_more_holds_nothing_up(end: str) -> None:
    """A stopped task, or the server, waits a moment for the last words to be taken, and no longer."""

    async def converse() -> None:
        studio = Studio()
        holding = await studio.begin()
        studio.browser.takes_s = FOREVER
        await asyncio.sleep(2)
        if end == "task":
            await studio.stop()
        else:
            studio.stopping.set()
        await holding
        assert clock.now() <= 3.5 + 2
        assert studio.is_at_rest()

    clock.run(converse())


def test_a_visitor_who_reads_no_more_is_left() -> None:
    """A minute after the message that isn't taken."""

    async def converse() -> None:
        studio = Studio()
        holding = await studio.begin()
        studio.browser.takes_s = FOREVER
        await holding
        assert clock.now() == 2 + STALLED_S
        assert studio.is_at_rest()
        assert studio.browser.code is None

    clock.run(converse())


def _start_again(studio: Studio) -> None:
    studio.browser.say(type="start")


def _hurry(studio: Studio) -> None:
    for _ in range(3):
        studio.browser.say(type="start")
        studio.browser.say(type="stop")
    studio.browser.say(type="start")


@pytest.mark.parametrize("act", [_start_again, _hurry])
def test_one_place_is_enough_for_one_run_after_the_other(act: Callable[[Studio], None]) -> None:
    """However fast they follow: each run has ended, and said so, before the next one begins."""

    async def converse() -> None:
        studio = Studio({"max_runs_per_address": 1})
        holding = await studio.begin()
        act(studio)
        await asyncio.sleep(1.5)
        assert studio.open == 1
        studio.browser.leave()
        await holding
        assert studio.is_at_rest()
        states = [event for event in studio.browser.heard if event["type"] != "image_generation.completed"]
        assert {event["type"] for event in states} == {"status"}
        assert [event["status"] for event in states] == ["running", "stopped"] * (len(states) // 2) + ["running"]
        ids = [event["run_id"] for event in states]
        assert ids[:-1:2] == ids[1::2]
        assert len(set(ids)) == len(states) // 2 + 1

    clock.run(converse())


def test_a_run_that_breaks_ends_its_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a bug of ours: the visitor is told, and nothing is held for somebody who waits in vain."""

    async def breaking(_: ImagesRequest) -> AsyncGenerator[Drawn, None]:
        raise ZeroDivisionError
        yield

    async def converse() -> None:
        studio = Studio()
        monkeypatch.setattr(studio, "endless", breaking)
        studio.browser.say(type="start")
        await studio.hold()
        assert studio.browser.words() == ["running", "internal_error", "stopped"]
        assert studio.browser.code == 1000
        assert studio.is_at_rest()

    clock.run(converse())
