"""What is asked in crowds is found by its path; everything else goes on."""

from contextlib import ExitStack
from io import BytesIO
from typing import Any, cast

import pytest
from fastapi import Request, Response
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from grok_app.api import direct
from grok_app.api.app import create_routes
from grok_app.api.direct import Direct
from grok_app.api.routes import DIRECT
from grok_app.errors import AuthenticationError
from grok_app.runtime import Services

PATH = "/v1/chat/completions"


class Client:
    """Takes what it is sent, and notes whether the request's file was open then."""

    def __init__(self) -> None:
        self.file = BytesIO()
        self.was_open: list[bool] = []
        self.sent: list[Any] = []

    async def send(self, message: Any) -> None:
        """Take a message."""
        self.sent.append(message)
        self.was_open.append(not self.file.closed)

    async def answer(self, _request: Request, _services: Services, held: ExitStack) -> Response:
        """An endpoint that holds a file."""
        held.enter_context(self.file)
        return Response("direct")

    async def ask(self, path: str, method: str = "POST") -> bytes:
        """What is answered."""

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        app = Direct(others, {PATH: self.answer}, lambda endpoint: endpoint)
        scope = {"type": "http", "method": method, "path": path, "headers": []}
        await app(scope, receive, self.send)
        return b"".join(message.get("body", b"") for message in self.sent)


async def others(scope: Scope, receive: Receive, send: Send) -> None:
    """What serves everything else."""
    await Response("others")(scope, receive, send)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Whoever asks shows a good key."""

    async def services() -> Services:
        return cast("Services", None)

    async def let_in(_request: Request, _services: Services) -> None:
        pass

    monkeypatch.setattr(direct, "current_services", services)
    monkeypatch.setattr(direct, "check_api_key", let_in)
    return Client()


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"], ids=["bare", "with a slash"])
async def test_an_endpoint_is_found_by_its_path(client: Client, path: str) -> None:
    """Files that it holds are closed once its answer has been sent."""
    assert await client.ask(path) == b"direct"
    assert client.was_open == [True, True]
    assert client.file.closed


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("HEAD", PATH), ("OPTIONS", PATH), ("POST", f"{PATH}/x")])
async def test_everything_else_goes_on(client: Client, method: str, path: str) -> None:
    """Other methods of the path too: what it does not take is FastAPI's to say."""
    assert await client.ask(path, method) == b"others"


async def test_a_refusal_is_an_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever shows no good key reaches no endpoint."""

    async def refuse(_request: Request, _services: Services) -> None:
        raise AuthenticationError("No")

    monkeypatch.setattr(direct, "check_api_key", refuse)
    assert b'"No"' in await client.ask(PATH)
    assert client.sent[0]["status"] == 401
    assert (b"www-authenticate", b"Bearer") in client.sent[0]["headers"]


def test_every_endpoint_is_described_under_its_path() -> None:
    """FastAPI has the same function there, so that the document says what is served, and nothing drifts apart."""
    routes = {
        (route.path, method): getattr(route, "endpoint", None)
        for route in iter_route_contexts(create_routes().routes)
        for method in route.methods or ()
    }
    assert {path: routes[path, "POST"] for path in DIRECT} == DIRECT


def test_what_surrounds_is_put_around_each_endpoint_once() -> None:
    """The request's id, its record, the rules for browsers: as around every other route."""
    surrounded: list[ASGIApp] = []

    def surround(app: ASGIApp) -> ASGIApp:
        surrounded.append(app)
        return app

    Direct(others, DIRECT, surround)
    assert len(surrounded) == len(DIRECT) == 2
