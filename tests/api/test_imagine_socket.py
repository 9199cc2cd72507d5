"""What a socket of the public surface does by itself, with services that are made up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from grok_app.access import Access, Tickets, Visitors
from grok_app.api.public import imagine_socket
from grok_app.env import Env
from grok_app.errors import GatewayError, OverloadedError
from grok_app.imagine import Setback
from grok_app.settings import Settings

IDLE_S = 0.05


async def draw_slowly(_wish: object) -> AsyncGenerator[Setback, None]:
    """A run in which something comes when a socket without a run is closed already."""
    await asyncio.sleep(4 * IDLE_S)
    yield Setback(GatewayError("Nothing yet"))
    await asyncio.Event().wait()


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Services of which nobody wants a key."""
    settings = cast("Any", SimpleNamespace(snapshot=Settings()))
    services = SimpleNamespace(
        env=Env(),
        access=Access(settings),
        visitors=Visitors(settings),
        drawings=Tickets(most_per_address=1),
        imagine=SimpleNamespace(endless=draw_slowly),
    )

    async def current_services() -> Any:
        return services

    monkeypatch.setattr(imagine_socket, "current_services", current_services)
    return services


@pytest.fixture
def client(services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> TestClient:  # noqa: ARG001 - they are there
    """A browser in front of the socket, which is closed soon when nothing is wanted on it."""
    monkeypatch.setattr(imagine_socket, "IDLE_S", IDLE_S)
    app = FastAPI()
    app.include_router(imagine_socket.router)
    return TestClient(app)


def test_a_socket_on_which_nothing_is_wanted_is_closed(client: TestClient) -> None:
    """Nobody keeps sockets open for nothing."""
    with client.websocket_connect("/imagine/ws") as socket:
        assert socket.receive()["type"] == "websocket.close"


def test_a_socket_with_a_run_stays_open(client: TestClient) -> None:
    """A run may be silent for long; its socket is closed when it has been over for a while."""
    with client.websocket_connect("/imagine/ws") as socket:
        socket.send_json({"type": "start", "prompt": "A red teapot"})
        assert socket.receive_json()["status"] == "running"
        assert socket.receive_json()["message"] == "Nothing yet"
        socket.send_json({"type": "stop"})

        assert socket.receive_json()["status"] == "stopped"
        assert socket.receive()["type"] == "websocket.close"


@pytest.mark.parametrize(("origins", "is_let_in"), [((), False), (("*",), True)], ids=["none", "every"])
def test_a_star_lets_pages_of_every_site_in(
    services: SimpleNamespace, client: TestClient, origins: tuple[str, ...], is_let_in: bool
) -> None:
    """As it does for requests."""
    services.env = Env(cors_origins=origins)
    outcome = nullcontext() if is_let_in else pytest.raises(WebSocketDisconnect)
    with outcome, client.websocket_connect("/imagine/ws", headers={"Origin": "https://friend.example"}) as socket:
        assert socket.receive()["type"] == "websocket.close"  # in the end, since nothing is wanted


@pytest.mark.parametrize("step", ["find", "use"])
def test_a_task_that_nobody_can_look_up_opens_no_socket(
    services: SimpleNamespace, client: TestClient, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Redis may be away: a visitor who has a key as well is let in by that, unless it goes away just then."""

    async def fail(*_: object) -> None:
        raise OverloadedError("Tasks can't be looked up")

    async def find(_: str) -> object:
        return object()

    monkeypatch.setattr(services.drawings, "find", find)
    monkeypatch.setattr(services.drawings, step, fail)
    outcome = pytest.raises(WebSocketDisconnect) if step == "use" else nullcontext()
    with outcome, client.websocket_connect("/imagine/ws") as socket:
        assert socket.receive()["type"] == "websocket.close"  # in the end, since nothing is wanted
