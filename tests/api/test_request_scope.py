"""What surrounds every request."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from grok_app.api.request_scope import RequestScope
from grok_app.logs import request_id, trace_id

Message = dict[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
HEAD = {"type": "http.response.start", "status": 200, "headers": []}


async def call(app: App, path: str = "/v1/models", headers: tuple[tuple[bytes, bytes], ...] = ()) -> list[Message]:
    """Serve one request; what was sent."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": list(headers)}
    await RequestScope(app)(scope, receive, send)
    return sent


def raising(error: BaseException, *before: Message) -> App:
    """An app that sends this much and then fails."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in before:
            await send(message)
        raise error

    return app


def error_of(sent: list[Message]) -> dict[str, Any]:
    """The error of an answer."""
    error: dict[str, Any] = orjson.loads(sent[1]["body"])["error"]
    return error


async def test_a_crash_is_a_500_without_details() -> None:
    """A bug gives the caller a JSON error with an id to ask for; its reason is for the log alone."""
    sent = await call(raising(ZeroDivisionError("secret detail")))

    assert sent[0]["status"] == 500
    assert b"x-request-id" in dict(sent[0]["headers"])
    assert error_of(sent) == {
        "message": "Internal server error",
        "type": "server_error",
        "param": None,
        "code": "internal_error",
    }


@pytest.mark.parametrize(
    ("path", "status", "is_guarded"),
    [
        ("/v1/files/image/a.png", 200, False),
        ("/v1/files/image/a.png", 206, False),
        ("/v1/files/image/a.png", 304, False),
        ("/v1/files/image/a.png", 404, True),
        ("/elsewhere/v1/files/a", 404, True),
        ("/v1/models", 200, True),
    ],
)
async def test_every_answer_but_a_file_is_guarded(path: str, status: int, is_guarded: bool) -> None:
    """A browser shows it in no frame, and runs nothing of it; other sites may show files that were served."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({**HEAD, "status": status})

    [head] = await call(app, path)
    guards = {b"x-content-type-options", b"x-frame-options", b"referrer-policy", b"content-security-policy"}
    assert guards & dict(head["headers"]).keys() == (guards if is_guarded else set())


async def test_a_crash_after_the_head_sends_nothing_more() -> None:
    """Once an answer has begun, no second one is put behind it."""
    [head] = await call(raising(ZeroDivisionError(), dict(HEAD)))

    assert head["status"] == 200


async def test_a_caller_who_leaves_in_the_middle_of_the_body_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is answered, and no traceback is written."""
    assert await call(raising(ClientDisconnect())) == []
    assert "crashed" not in caplog.text


async def test_a_server_that_stops_says_so() -> None:
    """Whoever still waits when the server must end gets a 503 that invites to try again, not a cut connection."""
    sent: list[Message] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(asyncio.CancelledError):
        await RequestScope(raising(asyncio.CancelledError()))(
            {"type": "http", "method": "POST", "path": "/", "headers": []}, _no_message, send
        )

    assert sent[0]["status"] == 503
    assert error_of(sent)["type"] == "service_unavailable_error"
    assert error_of(sent)["code"] == "shutting_down"


async def test_the_id_is_known_while_the_request_is_served() -> None:
    """What is logged during a request carries the ids that the caller gets; afterwards nothing does."""
    seen: list[str | None] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        seen.extend((request_id.get(), trace_id.get()))
        await send(dict(HEAD))

    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    told = f"00-{trace}-{parent}-01".encode()
    sent = await call(app, headers=((b"x-request-id", b"mine"), (b"traceparent", told)))

    assert seen == ["mine", trace]
    headers = dict(sent[0]["headers"])
    assert headers[b"x-request-id"] == b"mine"
    assert headers[b"traceparent"].startswith(f"00-{trace}-".encode())
    assert parent.encode() not in headers[b"traceparent"]
    assert (request_id.get(), trace_id.get()) == (None, None)


@pytest.mark.parametrize(
    ("path", "served"),
    [("/", "/"), ("/v1/models/", "/v1/models"), ("/v1/models//", "/v1/models"), ("//", "/"), ("/v1/a", "/v1/a")],
)
async def test_routes_see_no_trailing_slash(path: str, served: str) -> None:
    """A path is the same with and without slashes at its end."""
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["path"])

    await call(app, path)

    assert seen == [served]


async def converse(app: App, path: str = "/v1/public/imagine/ws", request_id: bytes | None = None) -> list[Message]:
    """Serve one WebSocket; what was sent."""
    sent: list[Message] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-request-id", request_id)] if request_id else []
    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "headers": headers}
    await RequestScope(app)(scope, _no_message, send)
    return sent


async def test_a_socket_has_an_id_too() -> None:
    """What is logged during a conversation carries it; afterwards nothing does."""
    seen: list[str | None] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(request_id.get())

    await converse(app, request_id=b"mine")
    await converse(app)
    assert seen[0] == "mine"
    assert seen[1]
    assert request_id.get() is None


async def test_a_socket_is_the_same_with_a_slash_behind() -> None:
    """As every path."""
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["path"])

    await converse(app, "/v1/public/imagine/ws/")
    assert seen == ["/v1/public/imagine/ws"]


@pytest.mark.parametrize("before", [[], [{"type": "websocket.accept"}]], ids=["before it is accepted", "after it"])
async def test_a_crash_ends_a_socket_alone(before: list[Message]) -> None:
    """Nothing is sent that would be no message of a socket; the traceback is logged, without the query."""
    with capture_logs() as logs:
        assert await converse(raising(ZeroDivisionError("secret detail"), *before)) == before
    assert [entry["event"] for entry in logs] == ["socket crashed", "request"]
    assert (logs[1]["method"], logs[1]["path"]) == ("WS", "/v1/public/imagine/ws")
    assert request_id.get() is None


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "websocket.accept"}, {"type": "websocket.close", "code": 1000}], 101),
        ([{"type": "websocket.close", "code": 1008}], 403),
        ([], 0),
    ],
    ids=["accepted", "refused", "left"],
)
async def test_the_log_tells_what_a_client_saw_of_a_socket(messages: list[Message], status: int) -> None:
    """The status of the upgrade; 0 when the client left before."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with capture_logs() as logs:
        assert await converse(app) == messages
    assert [entry["status"] for entry in logs] == [status]


async def test_a_socket_that_the_server_must_cut_is_cut() -> None:
    """The cancellation is not hidden, and no answer of HTTP's is sent over a socket."""
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await converse(raising(asyncio.CancelledError(), {"type": "websocket.accept"}))
    assert [entry["event"] for entry in logs] == ["request"]
    assert request_id.get() is None


async def _no_message() -> Message:
    return {"type": "http.disconnect"}
