"""Ports, the build's fingerprint, and the orderly end."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grok_app import server
from grok_app.api import sse
from grok_app.env import read_env
from grok_app.errors import ConfigurationError


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens, in the way that granian does."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree with one page, whose build is recorded and writes nothing but its folder."""
    (tmp_path / "grok_app" / "ui").mkdir(parents=True)
    (tmp_path / "grok_app" / "ui" / "page.py").write_text("one")
    (tmp_path / "rxconfig.py").write_text("")
    (tmp_path / "grok_app" / "grok_app.py").write_text("")
    (tmp_path / ".npmrc").write_text("")
    monkeypatch.setattr(server, "project_dir", lambda: tmp_path)
    monkeypatch.setattr(server, "set_environment", lambda: None)
    return tmp_path


@pytest.fixture
def builds(tree: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The build commands that were run; each succeeds."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        (tree / ".web" / "build").mkdir(parents=True, exist_ok=True)
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_taken_port_is_refused_with_a_sentence(taken_port: int) -> None:
    """The message names the address and the ways to choose another one."""
    with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{taken_port}.*in use.*--port.*GROK_APP_PORT"):
        server.check_port("127.0.0.1", taken_port)


def test_a_free_port_passes() -> None:
    """A port that was just given back is free, also while old connections linger."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server.check_port("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - what is read is the answer
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("gateway.lan", "http://gateway.lan:8000"),
    ],
)
def test_the_url_can_be_opened_on_this_machine(host: str, url: str) -> None:
    """A wildcard address becomes the loopback one."""
    env, _ = read_env({"GROK_APP_HOST": host})
    assert server.reachable_url(env) == url


def test_pages_are_built_once(builds: list[list[str]]) -> None:
    """A second start finds the build up to date."""
    assert server.build_pages()
    assert not server.build_pages()
    assert len(builds) == 1


@pytest.mark.parametrize(
    ("path", "is_rebuilt"),
    [("grok_app/ui/page.py", True), ("rxconfig.py", True), ("assets/new.css", True), ("grok_app/env.py", False)],
)
def test_pages_are_built_again_when_their_sources_change(
    tree: Path, builds: list[list[str]], path: str, is_rebuilt: bool
) -> None:
    """Only what the pages are made from matters."""
    server.build_pages()
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text("changed")
    assert server.build_pages() is is_rebuilt
    assert len(builds) == 1 + is_rebuilt


def test_a_failed_build_is_not_taken_for_done(
    tree: Path, builds: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start tries again."""
    with monkeypatch.context() as failing:
        failing.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
        with pytest.raises(ConfigurationError, match="could not be built"):
            server.build_pages()
    assert server.build_pages()
    assert (tree / ".web" / "build").is_dir()
    assert len(builds) == 1


def test_nothing_phones_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reflex's telemetry and version check are off, and npm from the wheel stands in for a downloaded bun."""
    environ = {"NPM_CONFIG_REGISTRY": "http://registry.example", "PATH": "/nowhere"}
    monkeypatch.setattr(os, "environ", environ)
    server.set_environment()
    assert environ["REFLEX_TELEMETRY_ENABLED"] == environ["REFLEX_CHECK_LATEST_VERSION"] == "false"
    assert environ["REFLEX_USE_NPM"] == "1"
    assert environ["NPM_CONFIG_REGISTRY"] == "http://registry.example"
    folder, _, rest = environ["PATH"].partition(os.pathsep)
    assert rest == "/nowhere"
    assert (Path(folder) / "npm").exists()
    assert (Path(folder) / "node").exists()


async def test_a_request_under_way_is_cut_after_the_grace_time() -> None:
    """An endless stream doesn't keep the worker from closing its services, and its end is no error of the server's."""
    drain, started, ended = server.Drain(), asyncio.Event(), asyncio.Event()

    async def endless(scope: Any, *_: Any) -> None:
        if scope["type"] == "lifespan":
            return
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    app = server.Draining(endless, drain, grace_s=0.01)
    await app({"type": "lifespan"}, None, None)  # type: ignore[arg-type] # not used
    request = asyncio.create_task(app({"type": "http"}, None, None))  # type: ignore[arg-type] # not used
    await started.wait()
    assert not ended.is_set()
    drain.begin()
    await request
    assert ended.is_set()


class Held:
    """An app whose requests last until they are let go, or the server stops; knows what became of them."""

    def __init__(self, *, heeds_stop: bool) -> None:
        self.may_end = asyncio.Event()
        self.running = 0
        self.ended: list[str] = []
        self._heeds_stop = heeds_stop

    async def __call__(self, scope: Any, *_: Any) -> None:
        """Serve."""
        if scope["type"] == "lifespan":
            return
        self.running += 1
        try:
            await (scope[server.SERVER_STOPS] if self._heeds_stop else self.may_end).wait()
            self.ended.append("by itself")
        except asyncio.CancelledError:
            self.ended.append("cut")
            raise


async def begun(held: Held, drain: server.Drain, kinds: list[str], grace_s: float) -> list[asyncio.Task[None]]:
    """These requests, under way in a server that watches for its end."""
    app = server.Draining(held, drain, grace_s=grace_s)
    await app({"type": "lifespan"}, None, None)  # type: ignore[arg-type] # not used
    requests = [asyncio.create_task(app({"type": kind}, None, None)) for kind in kinds]  # type: ignore[arg-type] # not used
    await asyncio.sleep(0)
    assert held.running == len(kinds)
    return requests


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_request_is_told_that_the_server_stops(kind: str) -> None:
    """At once, so that what has no end of its own needn't be cut."""
    held, drain = Held(heeds_stop=True), server.Drain()
    [request] = await begun(held, drain, [kind], grace_s=3600)
    assert not request.done()
    drain.begin()
    await request
    assert held.ended == ["by itself"]


async def test_answers_under_way_may_end_while_the_server_stops() -> None:
    """Within the grace time nobody is cut."""
    held, drain = Held(heeds_stop=False), server.Drain()
    requests = await begun(held, drain, ["http", "http"], grace_s=3600)
    drain.begin()
    stopped = asyncio.Event()
    drain.watch(stopped.set)
    await stopped.wait()
    held.may_end.set()
    await asyncio.gather(*requests)
    assert held.ended == ["by itself"] * 2


async def test_every_worker_hears_that_the_server_stops() -> None:
    """The word stays in the pipe, for one that begins to watch later too."""
    drain = server.Drain()
    drain.begin()
    for _ in range(2):
        heard = asyncio.Event()
        drain.watch(heard.set)
        await heard.wait()


async def test_a_cancellation_that_is_not_the_servers_comes_out() -> None:
    """Only its own cut is swallowed."""
    held, drain = Held(heeds_stop=False), server.Drain()
    [request] = await begun(held, drain, ["http"], grace_s=3600)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert held.ended == ["cut"]


def test_streams_know_the_servers_word() -> None:
    """They stand below the server, so the name stands twice."""
    assert sse.SERVER_STOPS == server.SERVER_STOPS
