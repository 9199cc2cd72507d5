"""SIGTERM: what becomes of answers under way, and of what they hold. Source: API contract, section 3."""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from redis import Redis

from grok_app.accounts import open_roster
from grok_app.catalog import DEFAULT_QUOTA, Pool
from grok_app.db import Notice, open_database, open_vault
from grok_app.runtime.storage import _installation
from grok_app.settings import open_settings
from tests.conftest import APP_KEY, KEYS
from tests.contract.admin import PREFIXES, fresh, operator, start
from tests.contract.film import MODEL as FILM_MODEL
from tests.contract.pictures import GENERATIONS, image_events
from tests.contract.public import FILM, KEY, SSE, WS, begin, begin_film
from tests.contract.records import named, written
from tests.contract.websocket import GOING_AWAY, connected
from tests.contract.wire import CHAT, DONE, body, error_of, events
from tests.redis import forget, redis_url
from tests.servers import RUNNING, Gateway, Sandbox, eventually, start_gateway

__all__ = ["redis_url"]

StartServer = Callable[..., Gateway]

CALLERS: Final = 8
"""The kernel spreads connections by chance: that one of two workers has none of so many happens once in 128 runs."""
WAITS: Final = fresh("-@limits-hang")
"""An account whose quota Grok never says: a task with it has no end."""
TOKENS: Final = (*fresh(*(f"-{number}" for number in range(12))), *WAITS)
SETTINGS: Final = {**KEYS, "app.public_enabled": "true", "token.max_inflight": "1", "token.auto_refresh": "false"}
AT_ONCE_S: Final = 6.0
"""On a busy machine; the grace time of these servers is longer."""
SHUTTING_DOWN: Final = {
    "message": "The server is stopping. Please try again later.",
    "type": "service_unavailable_error",
    "param": None,
    "code": "shutting_down",
}
GOODBYE: Final = {"type": "error", "message": SHUTTING_DOWN["message"], "code": "shutting_down"}
"""What visitors' runs say."""


@pytest.fixture
def start_server(sandbox: Sandbox, tmp_path: Path) -> Generator[StartServer]:
    """Starts the gateway that a test ends."""

    def begin(**settings: str) -> Gateway:
        return start_gateway(tmp_path, sandbox, {Pool.BASIC: TOKENS}, {**SETTINGS, **settings})

    yield begin
    for process in [process for process in RUNNING if process.folder == tmp_path]:
        process.kill()


def signal_stop(gateway: Gateway, send: Callable[[int, int], None] = os.kill, number: int = signal.SIGTERM) -> None:
    """Tell it to stop, and wait until its port is closed: as soon as its workers have heard it."""
    send(gateway.process.pid, number)
    eventually(lambda: is_closed(gateway))


def is_closed(gateway: Gateway) -> bool:
    """Whether nobody listens at its port any more."""
    url = httpx.URL(gateway.url)
    with socket.socket() as probe:
        return probe.connect_ex((url.host, url.port)) != 0


def check_end(gateway: Gateway) -> None:
    """It ends by itself, in order, and says nothing of a failure."""
    gateway.http.close()
    gateway.stranger.close()
    assert gateway.process.end() == 0
    assert not re.search(r"\[error|traceback|killing", gateway.process.log(), re.IGNORECASE), gateway.process.log()


def quotas(folder: Path) -> dict[str, int]:
    """What each account has left, by the database."""

    async def read() -> dict[str, int]:
        vault = open_vault("", folder)
        async with open_database(f"sqlite:///{folder / 'grok_app.db'}") as database:
            settings = await open_settings(database, vault, {})
            async with open_roster(database, vault, settings, Notice(folder / "accounts.notice")) as roster:
                return {account.credential.get_secret_value(): account.quota for account in roster.all()}

    return asyncio.run(read())


def read(gateway: Gateway, *, method: str, url: str, **request: Any) -> httpx.Response:
    """Ask, and read to the end, which must not be a cut."""
    return httpx.request(method, f"{gateway.url}{url}", timeout=30, **request)


def slow(gateway: Gateway, question: str) -> dict[str, Any]:
    """A chat that begins after a while, and ends."""
    return {"json": body(f"{question} @slow", stream=True), "headers": gateway.auth}


def half_asked(gateway: Gateway) -> socket.socket:
    """A connection on which the head of a request has come but in part."""
    url = httpx.URL(gateway.url)
    connection = socket.create_connection((url.host, url.port), timeout=AT_ONCE_S)
    connection.sendall(b"GET /readyz HTTP/1.1\r\n")
    return connection


def leases(gateway: Gateway, redis_url: str) -> int:
    """How many accounts are lent, by Redis, which then forgets the gateway."""
    name = _installation(open_vault("", gateway.process.folder))
    with Redis.from_url(redis_url) as redis:
        count = redis.zcard(f"grok_app:{name}:leases")
    forget(redis_url, name)
    assert isinstance(count, int)
    return count


def under_way(sandbox: Sandbox, question: str) -> int:
    """How often Grok is asked just now with these words."""
    return sum(question in str(entry) and entry["state"] == "open" for entry in sandbox.journal())


def chats_under_way(gateway: Gateway) -> int:
    """How many it serves just now, those among them that wait in line."""
    text = gateway.stranger.get("/metrics", headers={"Authorization": f"Bearer {APP_KEY}"}).text
    [count] = re.findall(rf'^grok_app_requests_in_flight{{[^}}]*route="{CHAT}"[^}}]*}} (\d+)', text, re.MULTILINE)
    return int(count)


def endless(gateway: Gateway, admin: httpx.Client, question: str, asked: dict[str, str]) -> dict[str, dict[str, Any]]:
    """A request of each kind that Grok never ends, by its name; the chat with these headers."""
    silent, still = f"{question} @ws-silent", f"{question} @video-stall"
    task, _ = start(admin, "/tokens/refresh/async", {"tokens": list(WAITS)})

    def post(path: str, content: dict[str, Any]) -> dict[str, Any]:
        return {"method": "POST", "url": path, "json": content, "headers": {**gateway.auth, **asked}}

    def get(path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        return {"method": "GET", "url": path, "params": query, "headers": dict(admin.headers)}

    return {
        "chat": post(CHAT, body(f"{question} @stall", stream=True)),
        "whole chat": post(CHAT, body(f"{question} @hang", stream=False)),
        "film": post(CHAT, body(still, model=FILM_MODEL, stream=True)),
        "picture": post(GENERATIONS, {"prompt": f"{question} @blocked", "n": 1, "stream": True}),
        "whole picture": post(GENERATIONS, {"prompt": silent, "n": 1}),
        "run": get(SSE, {"task_id": begin(gateway, silent)}),
        "visitor's film": get(FILM, {"task_id": begin_film(gateway, still)}),
        "task": get(f"/v1/admin/batch/{task}/stream"),
    }


def check_words(got: dict[str, httpx.Response]) -> None:
    """Each says in its own dialect why it ends, and the connection is not just cut."""
    for name in ("chat", "film", "visitor's film"):
        assert events(got[name].text)[-2:] == [{"error": SHUTTING_DOWN}, DONE], name
    assert image_events(got["picture"])[-1] == {"error": SHUTTING_DOWN}
    for name in ("whole chat", "whole picture", "film in line"):
        assert (got[name].status_code, error_of(got[name])) == (503, SHUTTING_DOWN), name
        assert int(got[name].headers["retry-after"]) > 0
    assert events(got["run"].text)[-1] == GOODBYE
    last = events(got["task"].text)[-1]
    assert (last["type"], last["status"], last["error"]) == ("error", "running", SHUTTING_DOWN["message"])


def test_every_kind_of_answer_is_ended_with_words_of_its_own(
    start_server: StartServer, sandbox: Sandbox, question: str, tmp_path: Path
) -> None:
    """When the grace time is over, or at once if it is in line yet.

    Accounts, records and files are then as if nobody had asked, but for the record.
    """
    gateway, asked = start_server(**{"shutdown_grace_s": "4", "video.concurrent": "2"}), named()
    ended: list[str] = []
    with (
        operator(gateway, PREFIXES[0]) as admin,
        connected(gateway, WS, headers=KEY) as peer,
        ThreadPoolExecutor(CALLERS + 1) as threads,
    ):
        peer.say(type="start", prompt=f"{question} @ws-silent")
        requests = endless(gateway, admin, question, asked)
        answers = {name: threads.submit(read, gateway, **request) for name, request in requests.items()}
        eventually(lambda: under_way(sandbox, question) == len(requests))  # the socket's run, and no task
        answers["film in line"] = threads.submit(read, gateway, **requests["film"])
        for name, answer in answers.items():
            answer.add_done_callback(partial(lambda name, _: ended.append(name), name))
        eventually(lambda: chats_under_way(gateway) == len(["chat", "whole chat", "film", "film in line"]))
        signal_stop(gateway)
        *_, last = peer
        got = {name: answer.result() for name, answer in answers.items()}
    check_end(gateway)

    assert (last, peer.close_code) == (GOODBYE, GOING_AWAY)
    check_words(got)
    assert ended.index("film in line") < ended.index("chat")
    assert set(quotas(tmp_path).values()) == {DEFAULT_QUOTA[Pool.BASIC]}
    assert {(found.record.status, found.record.error) for found in written(gateway, asked)} >= {(200, "shutting_down")}
    assert list((tmp_path / "media").rglob("*.part")) == []


def test_what_can_end_ends_and_nobody_else_is_served(
    start_server: StartServer, sandbox: Sandbox, question: str
) -> None:
    """The server waits for the answer, and not for clients that say no more; a late request is a 503."""
    gateway = start_server()
    with half_asked(gateway) as mute, half_asked(gateway) as late, ThreadPoolExecutor() as threads:
        answer = threads.submit(read, gateway, method="POST", url=CHAT, **slow(gateway, question))
        eventually(lambda: under_way(sandbox, question))
        signal_stop(gateway)
        late.sendall(b"Host: gateway\r\n\r\n")
        refusal = late.makefile("rb").read().decode()
        assert answer.result().text.count(DONE) == 1
        ended_at = time.monotonic()
        check_end(gateway)
        assert time.monotonic() - ended_at < AT_ONCE_S
        assert mute.recv(1) == b""

    assert refusal.startswith("HTTP/1.1 503 ")
    for words in ('"code":"shutting_down"', "retry-after: ", "connection: close", "x-request-id: "):
        assert words in refusal.lower()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_second_signal_ends_the_answers_at_once(
    start_server: StartServer, redis_url: str, sandbox: Sandbox, question: str, name: str
) -> None:
    """Of all workers, with the same words; those of a terminal reach them as well. Accounts are given back."""
    gateway = start_server(shutdown_grace_s="600", workers="2", redis_url=redis_url)
    request = {"json": body(f"{question} @stall", stream=True), "headers": gateway.auth}
    send = os.kill if name == "SIGTERM" else os.killpg
    with ThreadPoolExecutor(CALLERS) as threads:
        answers = [threads.submit(read, gateway, method="POST", url=CHAT, **request) for _ in range(CALLERS)]
        eventually(lambda: under_way(sandbox, question) == CALLERS)
        signal_stop(gateway, send, signal.Signals[name])
        assert not any(answer.done() for answer in answers)
        send(gateway.process.pid, signal.Signals[name])
        check_end(gateway)
        assert [events(answer.result().text)[-2:] for answer in answers] == [[{"error": SHUTTING_DOWN}, DONE]] * CALLERS

    assert set(quotas(gateway.process.folder).values()) == {DEFAULT_QUOTA[Pool.BASIC]}
    assert leases(gateway, redis_url) == 0
