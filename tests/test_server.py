"""Ports and workers."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grok_app import server
from grok_app.env import WORKERS_DIR, read_env
from grok_app.errors import ConfigurationError
from grok_app.stopping import Drain


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens, in the way that granian does."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


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


def test_several_workers_need_redis() -> None:
    """The message says what to set, and how to do without."""
    env, _ = read_env({"GROK_APP_WORKERS": "2"})
    with pytest.raises(ConfigurationError, match=r"^2 workers .*REDIS_URL=redis://.*--workers 1.*GROK_APP_WORKERS=1"):
        server.check_workers(env)


def test_several_workers_meet_where_nobody_else_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is there while they serve, and theirs alone; one worker needs none."""
    monkeypatch.setenv(WORKERS_DIR, "")
    with server._meeting_place(read_env({"GROK_APP_WORKERS": "2", "REDIS_URL": "redis://h"})[0]):
        place = Path(os.environ[WORKERS_DIR])
        assert place.stat().st_mode & 0o777 == 0o700
    assert not place.exists()
    monkeypatch.setenv(WORKERS_DIR, "")
    with server._meeting_place(read_env({})[0]):
        assert os.environ[WORKERS_DIR] == ""


@pytest.mark.parametrize("given", [{}, {"GROK_APP_WORKERS": "2", "REDIS_URL": "redis://h"}], ids=["one", "with Redis"])
def test_one_worker_or_redis_pass(given: dict[str, str]) -> None:
    """Redis need not answer yet: `/readyz` says whether it does."""
    server.check_workers(read_env(given)[0])


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


@pytest.mark.parametrize("is_ignored", [True, False], ids=["nohup", "terminal"])
def test_a_closed_terminal_stops_the_server(is_ignored: bool) -> None:
    """Unless it was started so that it stays; it is never taken for a wish to begin anew."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
    try:
        begun = server._Server(Drain(30), target="")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert begun.signal_handler_reload == (None if is_ignored else begun.signal_handler_interrupt)


def test_a_worker_that_has_ended_is_not_taken_for_alive() -> None:
    """Though another thread waits for the same end, and hears of it first."""
    for _ in range(20):
        worker = multiprocessing.get_context("fork").Process(target=bool)
        worker.start()
        watcher = threading.Thread(target=worker.join)
        watcher.start()
        server._join(worker, 5.0)
        assert not worker.is_alive()
        watcher.join()
