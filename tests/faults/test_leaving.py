"""Clients leave, at every moment of everything they ask for. Source: API contract, section 5.4.

Whatever they ask for, Grok's work for it is stopped within a second, and nothing of it is left. Of sockets, and of runs
that are half drawn, tests/contract/test_public_runs.py tells more.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import httpx
import pytest

from benchmarks.processes import tree
from tests.contract.film import MODEL as FILM_MODEL
from tests.contract.media import CHATS, image, text
from tests.contract.pictures import DRAW, EDIT, EDITS, GENERATIONS, SOCKET, upload_of
from tests.contract.public import SSE, START, WS
from tests.contract.websocket import connected
from tests.contract.wire import CHAT, body
from tests.faults.leftovers import Leftovers
from tests.faults.machine import noise
from tests.faults.play import serves
from tests.faults.stage import Stage, open_stage
from tests.servers import Sandbox, eventually

LIMIT_S: Final = 3.0
"""A second is promised; the rest is for a busy machine. Nobody would end it for minutes otherwise."""


class Caller(NamedTuple):
    """Something to ask for."""

    name: str
    make: Callable[[Stage, str], httpx.Request]
    silence: str
    """The sandbox's word for an answer that doesn't begin."""
    pause: str = ""
    """The word for one that has begun and doesn't go on; empty: its answer comes in one piece."""


def asking(content: Any = None, **fields: Any) -> Callable[[Stage, str], httpx.Request]:
    """Some chat; the content is the prompt unless it is said how it is made of it."""

    def make(stage: Stage, prompt: str) -> httpx.Request:
        said = prompt if content is None else content(prompt)
        return _post(stage, CHAT, json=body(said, **{"stream": False, **fields}))

    return make


def drawing(**fields: Any) -> Callable[[Stage, str], httpx.Request]:
    """Some pictures."""
    return lambda stage, prompt: _post(stage, GENERATIONS, json={"model": DRAW, "prompt": prompt, "n": 1, **fields})


def editing(stage: Stage, prompt: str) -> httpx.Request:
    """A large picture to be changed."""
    return _post(stage, EDITS, data={"model": EDIT, "prompt": prompt}, files=[upload_of(noise())])


def running(stage: Stage, prompt: str) -> httpx.Request:
    """An endless run over server-sent events."""
    with httpx.Client(base_url=stage.gateway.url, headers=stage.visitor().headers) as visitor:
        task_id = visitor.post(START, json={"prompt": prompt}).raise_for_status().json()["task_id"]
        return visitor.build_request("GET", SSE, params={"task_id": task_id})


CHATTING: Final = Caller("chat", asking(), "hang")
STREAMING: Final = Caller("chat-stream", asking(stream=True), "hang", "stall")
ATTACHING: Final = Caller("attach", asking(lambda prompt: [text(prompt), image(noise())]), "hang")
FILMING: Final = Caller("video", asking(model=FILM_MODEL, stream=True), "hang", "stall")
DRAWING: Final = Caller("images", drawing(), "ws-silent")
DRAWING_STREAM: Final = Caller("images-stream", drawing(stream=True), "ws-silent", "blocked")
EDITING: Final = Caller("edits", editing, "hang")
RUNNING: Final = Caller("run-sse", running, "ws-silent", "ws-silent")
CALLERS: Final = (CHATTING, STREAMING, ATTACHING, FILMING, DRAWING, DRAWING_STREAM, EDITING, RUNNING)
every = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)


@pytest.fixture(scope="module")
def patient(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """A gateway that waits for Grok longer than any client here."""
    direct = {f"upstream.{host}_url": sandbox.url for host in ("grok", "accounts", "assets")}
    with open_stage(tmp_path_factory.mktemp("leaving"), sandbox, direct) as stage:
        yield stage


@pytest.fixture(scope="module")
def leftovers(patient: Stage) -> Leftovers:
    """Knows the gateway as it was before the first cell."""
    return Leftovers(patient)


@pytest.fixture
def stage(patient: Stage, leftovers: Leftovers) -> Stage:
    """The gateway with one account."""
    patient.hire(1)
    leftovers.begin()
    return patient


@every
@pytest.mark.parametrize("share", [0.5, 0.999], ids=["half", "nearly all"])
def test_leaving_within_the_request(stage: Stage, leftovers: Leftovers, caller: Caller, share: float) -> None:
    """Of a request that breaks off nothing is done."""
    before = stage.sandbox.state()["total_requests"]
    head, content = raw(caller.make(stage, f"What about {uuid4().hex}?"))
    cut = int(len(content) * share) if content else int(-len(head) * (1 - share))
    with line(stage) as connection:
        connection.sendall(head + content[:cut] if content else head[:cut])

    check_is_well(stage, leftovers)
    assert len(asked_after(stage, before)) == 1


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_leaving_within_the_headers(stage: Stage, leftovers: Leftovers, share: float) -> None:
    """Nor of one that hasn't even said what it wants."""
    head, _ = raw(CHATTING.make(stage, "Hello"))
    with line(stage) as connection:
        connection.sendall(head[: int(len(head) * share)])

    check_is_well(stage, leftovers)


@every
@pytest.mark.parametrize("abruptly", [False, True], ids=["fin", "rst"])
def test_leaving_before_the_answer(stage: Stage, leftovers: Leftovers, caller: Caller, abruptly: bool) -> None:
    """While Grok is silent."""
    with line(stage, abruptly=abruptly) as connection:
        say(connection, caller.make(stage, f"What about {uuid4().hex}? @{caller.silence}"))
        call = under_way(stage)

    check_is_stopped(stage, call)
    check_is_well(stage, leftovers)


@pytest.mark.parametrize("caller", [it for it in CALLERS if it.pause], ids=lambda caller: caller.name)
def test_leaving_within_the_answer(stage: Stage, leftovers: Leftovers, caller: Caller) -> None:
    """After the first of it."""
    with line(stage) as connection:
        say(connection, caller.make(stage, f"What about {uuid4().hex}? @{caller.pause}"))
        hear(connection, b"data: ")
        call = under_way(stage)

    check_is_stopped(stage, call)
    check_is_well(stage, leftovers)


def test_leaving_a_socket_between_frames(stage: Stage, leftovers: Leftovers) -> None:
    """Without a goodbye."""
    with httpx.Client(base_url=stage.gateway.url, headers=stage.visitor().headers) as visitor:
        task_id = visitor.post(START, json={"prompt": f"What about {uuid4().hex}? @blocked"}).json()["task_id"]
    with connected(stage.gateway, WS, {"task_id": task_id}) as peer:
        peer.say(type="start")
        next(event for event in peer if "b64_json" in event)
        call = under_way(stage)

    check_is_stopped(stage, call)
    check_is_well(stage, leftovers)


@every
def test_leaving_the_queue(stage: Stage, leftovers: Leftovers, caller: Caller) -> None:
    """Whoever waits for the only account and leaves never has it; the next one has it once it is free."""
    with line(stage) as first:
        say(first, CHATTING.make(stage, f"What about {uuid4().hex}? @hang"))
        call = under_way(stage)
        with line(stage) as second:
            say(second, caller.make(stage, f"What about {uuid4().hex}?"))
            quiet_s = 0.2
            with suppress(TimeoutError):
                second.settimeout(quiet_s)
                hear(second, b"HTTP/1.1 4")
        assert asked_after(stage, call) == []
        assert under_way(stage) == call

    check_is_stopped(stage, call)
    check_is_well(stage, leftovers)
    assert len(asked_after(stage, call)) == 1


def test_leaving_within_a_file(stage: Stage, leftovers: Leftovers) -> None:
    """A file that is read in part is closed."""
    folder = stage.folder / "media" / "video"
    (folder / "long.mp4").write_bytes(bytes(8 << 20))
    for headers in ({}, {"Range": "bytes=1-"}):
        with line(stage) as connection:
            say(connection, httpx.Request("GET", f"{stage.gateway.url}/v1/files/video/long.mp4", headers=headers))
            hear(connection, b"video/mp4")

    eventually(lambda: "long.mp4" not in str(opened_by(stage)))
    check_is_well(stage, leftovers)


def _post(stage: Stage, path: str, **content: Any) -> httpx.Request:
    return httpx.Request("POST", f"{stage.gateway.url}{path}", headers=stage.gateway.auth, **content)


def raw(request: httpx.Request) -> tuple[bytes, bytes]:
    """The bytes of its head and of its body."""
    lines = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode(), request.read()


@contextmanager
def line(stage: Stage, *, abruptly: bool = False) -> Generator[socket.socket]:
    """A connection to the gateway, which is closed with the block; perhaps with an RST."""
    url = httpx.URL(stage.gateway.url)
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        if abruptly:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        yield connection


def say(connection: socket.socket, request: httpx.Request) -> None:
    """Send all of it."""
    connection.sendall(b"".join(raw(request)))


def hear(connection: socket.socket, words: bytes) -> None:
    """Read until these words."""
    heard = b""
    while words not in heard:
        heard += connection.recv(4096) or pytest.fail(f"the answer has ended: {heard!r}")


def calls(stage: Stage) -> list[dict[str, Any]]:
    """What Grok was asked lately."""
    return stage.sandbox.journal()


def asked_after(stage: Stage, number: int) -> list[int]:
    """The calls after this one for an answer or a picture: what needs an account."""
    return [int(call["id"]) for call in calls(stage) if call["path"] in (CHATS, SOCKET) and call["id"] > number]


def under_way(stage: Stage) -> int:
    """Wait for the call that Grok works on; its number."""
    return eventually(lambda: next((int(it["id"]) for it in calls(stage) if _is_open(it)), None))


def check_is_stopped(stage: Stage, call: int) -> None:
    """Grok was left in time, counted from now."""
    left_at_ms = time.time() * 1000
    entry = eventually(lambda: next((it for it in calls(stage) if it["id"] == call and not _is_open(it)), None))
    assert entry["state"] == "cancelled"
    assert entry["ended_ms"] - left_at_ms < LIMIT_S * 1000


def check_is_well(stage: Stage, leftovers: Leftovers) -> None:
    """Nothing is left, no temporary file either, and the account serves the next one."""
    leftovers.check()
    eventually(lambda: not [path for path in opened_by(stage) if path.endswith("(deleted)")])
    assert asyncio.run(serves(stage))


def opened_by(stage: Stage) -> list[str]:
    """The files that the gateway's processes have open; one without a name is `(deleted)`."""
    found = []
    for number in tree(stage.gateway.process.pid):
        for link in Path(f"/proc/{number}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed this moment
                found.append(str(link.readlink()))
    return found


def _is_open(call: dict[str, Any]) -> bool:
    return call["state"] == "open" and call["path"] in (CHATS, SOCKET)
