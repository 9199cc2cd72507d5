"""The studio over raw HTTP: its tasks, and the streams of pictures and videos. See API contract, section 9."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx
import orjson
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, KEYS, PUBLIC_KEY, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import OTHER_ORIGIN, bearer
from tests.contract.pictures import Event
from tests.contract.websocket import connected
from tests.contract.wire import DONE, body
from tests.servers import Gateway

PREFIXES: Final = ["/v1/public", "/api/v1/public"]
PUBLIC: Final = PREFIXES[0]
START: Final = f"{PUBLIC}/imagine/start"
STOP: Final = f"{PUBLIC}/imagine/stop"
SSE: Final = f"{PUBLIC}/imagine/sse"
TALK: Final = f"{PUBLIC}/chat/completions"
WS: Final = f"{PUBLIC}/imagine/ws"
FILM_START: Final = f"{PUBLIC}/video/start"
FILM_STOP: Final = f"{PUBLIC}/video/stop"
FILM: Final = f"{PUBLIC}/video/sse"
KEY: Final = bearer(PUBLIC_KEY)
GUARDED: Final = [
    ("GET", "/verify"),
    ("POST", "/chat/completions"),
    ("POST", "/imagine/start"),
    ("POST", "/imagine/stop"),
    ("GET", "/imagine/sse"),
    ("POST", "/video/start"),
    ("POST", "/video/stop"),
]
"""What needs the visitors' key."""
OPEN: Final = [("GET", "/imagine/config"), ("GET", "/video/sse")]
"""What needs none."""

LIMIT_S: Final = 3.0
"""Within this, whatever was left or stopped is over: a second is promised, the rest is for a busy machine."""
NO_ACCOUNT: Final = {
    "type": "error",
    "message": "No available tokens. Please try again later.",
    "code": "rate_limit_exceeded",
}
TASK_NOT_FOUND: Final = "Task not found"

transports = pytest.mark.parametrize("transport", ["sse", "ws"])


def studio_gateway(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose visitors all have one address, and may ask for as much as they like."""
    settings = {
        **KEYS,
        **QUICK_RETRIES,
        "app.public_enabled": "true",
        "cors_origins": OTHER_ORIGIN,
        "public.requests_per_minute": "100000",
        "public.max_runs_per_address": "1000",
        "token.auto_refresh": "false",
        "token.fail_threshold": "100",
    }
    return make_gateway(_accounts("studio"), settings)


def rationed_gateway(make_gateway: GatewayFactory) -> Gateway:
    """A gateway behind a proxy that tells it each visitor's address, which may ask for what it may by default."""
    settings = {
        **KEYS,
        **QUICK_RETRIES,
        "app.public_enabled": "true",
        "trusted_proxies": "127.0.0.1",
        "token.auto_refresh": "false",
    }
    return make_gateway(_accounts("rationed"), settings)


def _accounts(name: str) -> dict[Pool, tuple[str, ...]]:
    return {
        Pool.BASIC: tuple(f"sandbox-basic-{name}-{number}-{ENDLESS}" for number in range(100)),
        Pool.SUPER: tuple(f"sandbox-super-{name}-{number}-{ENDLESS}" for number in range(10)),
    }


def post(gateway: Gateway, path: str, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Ask as a page does that has the visitors' key."""
    return gateway.stranger.post(path, json=body, headers={**KEY, **(headers or {})})


def begin(gateway: Gateway, prompt: str, headers: Mapping[str, str] | None = None, **fields: Any) -> str:
    """Make a task of drawing; its id."""
    return _task_of(post(gateway, START, {"prompt": prompt, **fields}, headers))


def begin_film(gateway: Gateway, prompt: str, headers: Mapping[str, str] | None = None, **fields: Any) -> str:
    """Make a task of filming; its id."""
    return _task_of(post(gateway, FILM_START, {"prompt": prompt, **fields}, headers))


def _task_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    started = answer.json()
    assert started.keys() == {"task_id", "aspect_ratio"}
    task_id: str = started["task_id"]
    assert task_id
    return task_id


def stop(gateway: Gateway, *task_ids: str, path: str = STOP) -> int:
    """Stop these tasks; how many there were."""
    answer = post(gateway, path, {"task_ids": task_ids}).raise_for_status().json()
    assert answer.keys() == {"status", "removed"}
    assert answer["status"] == "success"
    return int(answer["removed"])


@contextmanager
def listening(
    gateway: Gateway,
    query: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
    *,
    path: str = SSE,
    http: httpx.Client | None = None,
) -> Generator[Iterator[Event]]:
    """Read the pictures of a task, or of the prompt of the query, as events; the connection is closed at the end."""
    with (http or gateway.stranger).stream("GET", path, params=dict(query), headers=dict(headers or {})) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
        events = _unnamed(answer)
        yield events  # kept here: a generator that nobody keeps closes the connection


def _unnamed(answer: httpx.Response) -> Iterator[Event]:
    for line in _lines(answer):
        if line and not line.startswith(b":"):
            assert line.startswith(b"data: "), line
            yield orjson.loads(line.removeprefix(b"data: "))


@contextmanager
def watching(
    gateway: Gateway, transport: str, task_id: str, headers: Mapping[str, str] | None = None
) -> Generator[Iterator[Event]]:
    """Watch a task without a key, by `sse` or by `ws`; its viewer leaves without a word at the end."""
    query = {"task_id": task_id}
    if transport == "sse":
        with listening(gateway, query, headers) as events:
            yield events
    else:
        with connected(gateway, WS, query, headers) as socket:
            socket.say(type="start")
            yield socket


@contextmanager
def filming(
    gateway: Gateway, task_id: str, headers: Mapping[str, str] | None = None
) -> Generator[Iterator[tuple[str, Any]]]:
    """Read the events of a video without a key: the name of each, `message` for most, and its data."""
    with gateway.stranger.stream("GET", FILM, params={"task_id": task_id}, headers=dict(headers or {})) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
        events = _named(answer)
        yield events


def _named(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = "message"
    for line in _lines(answer):
        if line.startswith(b"event: "):
            name = line.removeprefix(b"event: ").decode()
        elif line.startswith(b"data: "):
            data = line.removeprefix(b"data: ")
            yield name, DONE if data == DONE.encode() else orjson.loads(data)
            name = "message"


def _lines(answer: httpx.Response) -> Iterator[bytes]:
    """Its lines as a browser tells them apart; httpx takes U+2028 and others for line ends too."""
    rest = b""
    for piece in answer.iter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


@contextmanager
def talking(
    gateway: Gateway, content: Any, headers: Mapping[str, str] | None = None, **fields: Any
) -> Generator[Iterator[Any]]:
    """Read the chunks of a visitor's chat as they come; the connection is closed at the end."""
    asked = body(content, stream=True, **fields)
    with gateway.stranger.stream("POST", TALK, json=asked, headers={**KEY, **(headers or {})}) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
        chunks = (data for _, data in _named(answer))
        yield chunks


def film_of(gateway: Gateway, task_id: str, headers: Mapping[str, str] | None = None) -> tuple[list[Any], list[int]]:
    """The chunks of a video and the percentages between them; the stream must be whole."""
    with filming(gateway, task_id, headers) as events:
        *told, last = events
    assert last == ("message", DONE)
    assert {name for name, _ in told} <= {"message", "progress"}
    for name, data in told:
        assert (name == "progress") == (data.keys() == {"progress"})
    return [data for name, data in told if name == "message"], [
        data["progress"] for name, data in told if name != "message"
    ]
