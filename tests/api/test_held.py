"""Files of a request live as long as its answer, and no longer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
from fastapi import FastAPI, Response
from starlette.middleware import Middleware
from structlog.testing import capture_logs

from grok_app.api.errors import add_error_handlers
from grok_app.api.held import Held
from grok_app.api.request_scope import RequestScope
from grok_app.api.responses import json_response
from grok_app.api.sse import EventStream
from grok_app.errors import InvalidRequestError


class Client:
    """Takes what it is sent, notes whether the file was open then, and goes away when told."""

    def __init__(self, file: BytesIO) -> None:
        self.file = file
        self.was_open: list[bool] = []
        self.has_news = asyncio.Event()
        self.is_gone = asyncio.Event()
        self._has_asked = False

    async def receive(self) -> dict[str, Any]:
        """The request, and the disconnect when it comes."""
        if not self._has_asked:
            self._has_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, _message: Any) -> None:
        """Take a message."""
        self.was_open.append(not self.file.closed)
        self.has_news.set()

    async def ask(self, app: FastAPI, path: str) -> None:
        """Ask for this, until all of it has been sent."""
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [],
            "http_version": "1.1",
        }
        await app(scope, self.receive, self.send)


@pytest.fixture
def client() -> Client:
    """And the file that it brings."""
    return Client(BytesIO())


@pytest.fixture
def app(client: Client) -> FastAPI:
    """Routes that hold the file, each answering in another way."""
    app = FastAPI(middleware=[Middleware(RequestScope)])
    add_error_handlers(app)

    def hold(files: ExitStack) -> None:
        files.callback(client.file.close)

    @app.get("/whole")
    async def whole(files: Held) -> Response:
        hold(files)
        return json_response({})

    @app.get("/streamed")
    async def streamed(files: Held) -> Response:
        hold(files)
        return EventStream(events(), lambda _: b"")

    async def events() -> AsyncGenerator[bytes, None]:
        for _ in range(3):
            assert not client.file.closed
            yield b"data: x\n\n"

    @app.get("/endless")
    async def endless(files: Held) -> Response:
        hold(files)
        return EventStream(wait(), lambda _: b"")

    async def wait() -> AsyncGenerator[bytes, None]:
        yield b"data: x\n\n"
        await asyncio.Event().wait()

    @app.get("/refused")
    async def refused(files: Held) -> Response:
        hold(files)
        raise InvalidRequestError("no")

    @app.get("/broken")
    async def broken(files: Held) -> Response:
        hold(files)
        raise RuntimeError("a bug")

    return app


@pytest.mark.parametrize("path", ["/whole", "/streamed"])
async def test_files_are_open_until_the_last_byte_has_been_sent(app: FastAPI, client: Client, path: str) -> None:
    """A stream reads them while it is sent. Then they are closed."""
    await client.ask(app, path)
    assert all(client.was_open)
    assert len(client.was_open) >= 2
    assert client.file.closed


async def test_files_are_closed_when_the_request_is_refused(app: FastAPI, client: Client) -> None:
    """What came with it is of no use."""
    await client.ask(app, "/refused")
    assert client.file.closed


async def test_files_are_closed_after_a_bug(app: FastAPI, client: Client) -> None:
    """However the request ends."""
    with capture_logs():
        await client.ask(app, "/broken")
    assert client.file.closed


async def test_files_are_closed_when_the_client_leaves(app: FastAPI, client: Client) -> None:
    """In the middle of a stream."""
    asking = asyncio.create_task(client.ask(app, "/endless"))
    while len(client.was_open) < 2:
        client.has_news.clear()
        await client.has_news.wait()
    assert not client.file.closed
    client.is_gone.set()
    await asking
    assert client.file.closed
