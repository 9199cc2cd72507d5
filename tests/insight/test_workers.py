"""Workers of one server, each of which can be asked for all."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from grok_app.env import WORKERS_DIR
from grok_app.insight.service import _merge
from grok_app.insight.workers import ALONE, Tell, open_workers


def saying(word: str) -> Tell:
    """A worker that says this."""

    async def tell() -> bytes:
        return word.encode()

    return tell


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where they meet."""
    monkeypatch.setenv(WORKERS_DIR, str(tmp_path))
    return tmp_path


async def test_a_worker_without_others_speaks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the first number."""
    monkeypatch.delenv(WORKERS_DIR, raising=False)
    async with open_workers(saying("a")) as workers:
        assert await workers.ask() == {ALONE: b"a"}


async def test_each_hears_all(place: Path) -> None:
    """Whichever is asked; a number that has become free is the next one's."""
    async with AsyncExitStack() as stack, open_workers(saying("a")) as first:
        second = await stack.enter_async_context(open_workers(saying("b")))
        assert await first.ask() == await second.ask() == {"1": b"a", "2": b"b"}
        await stack.aclose()
        assert await first.ask() == {"1": b"a"}
        async with open_workers(saying("c" * 1_000_000)):
            assert (await first.ask())["2"] == b"c" * 1_000_000
    assert not (place / "1.sock").exists()


async def test_one_that_was_killed_is_told_and_replaced(place: Path) -> None:
    """Its socket is still there, and nobody listens."""
    async with open_workers(saying("a")) as first:
        (place / "2.sock").touch()
        with capture_logs() as logs:
            assert await first.ask() == {"1": b"a", "2": None}
        assert logs[0]["worker"] == "2"
        async with open_workers(saying("b")):
            assert await first.ask() == {"1": b"a", "2": b"b"}


@pytest.mark.usefixtures("place")
async def test_one_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are told all the same."""
    monkeypatch.setattr("grok_app.insight.workers._LIMIT_S", 0.05)
    forever = asyncio.Event()

    async def hang() -> bytes:
        await forever.wait()
        return b""

    async with open_workers(saying("a")) as first, open_workers(hang):
        with capture_logs():
            assert await first.ask() == {"1": b"a", "2": None}
        forever.set()


async def test_a_place_without_sockets_leaves_each_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long TMPDIR is no reason not to serve: a socket's path has 107 bytes at most."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setenv(WORKERS_DIR, str(folder))
    with capture_logs() as logs:
        async with open_workers(saying("a")) as workers, open_workers(saying("b")) as second:
            assert await workers.ask() == {"1": b"a"}
            assert await second.ask() == {"2": b"b"}
    assert [line["log_level"] for line in logs] == ["warning", "warning"]


def test_an_answer_that_breaks_off_is_none() -> None:
    """The others' figures are told, and that this one's are missing."""
    whole = b'[["grok_app_x", "gauge", "text", [["grok_app_x", {}, 1.0]]]]'
    with capture_logs():
        families = {family.name: family for family in _merge({"1": whole, "2": whole[:30], "3": None})}
    assert [sample.labels["worker"] for sample in families["grok_app_x"].samples] == ["1"]
    up = {sample.labels["worker"]: sample.value for sample in families["grok_app_worker_up"].samples}
    assert up == {"1": 1, "2": 0, "3": 0}
