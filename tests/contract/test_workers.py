"""Several workers on one port: what callers notice when one dies, and when all of them stop."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from benchmarks.processes import tree
from grok_app.catalog import Pool
from tests.conftest import ENDLESS, KEYS, PUBLIC_KEY
from tests.contract.public import SSE
from tests.contract.wire import ask, text_of
from tests.redis import redis_url
from tests.servers import RUNNING, START_LIMIT_S, STOP_LIMIT_S, Gateway, Sandbox, eventually, free_port, start_gateway

__all__ = ["redis_url"]

WORKERS = 2
CALLERS = 12
"""The kernel spreads connections by chance: that one worker has none of so many happens once in 2,000 runs."""
DRAIN_S = 10
LISTENING = "0A"
ACCOUNTS = {Pool.BASIC: tuple(f"sandbox-basic-shared-{number}-{ENDLESS}" for number in range(20))}
SETTINGS = {**KEYS, "workers": str(WORKERS), "public.max_runs_per_address": "1000"}


@pytest.fixture
def crew(sandbox: Sandbox, redis_url: str, tmp_path: Path) -> Generator[Gateway]:
    """A gateway with two workers. A test may end it itself."""
    folder = tmp_path / "workers"
    folder.mkdir()
    gateway = start_gateway(folder, sandbox, ACCOUNTS, {**SETTINGS, "redis_url": redis_url})
    eventually(lambda: listening(gateway) == WORKERS)
    yield gateway
    if gateway.process in RUNNING:
        gateway.kill()


@pytest.fixture
def threads() -> Generator[ThreadPoolExecutor]:
    """For callers, each with a connection of its own."""
    with ThreadPoolExecutor(CALLERS) as threads:
        yield threads


def workers_of(gateway: Gateway) -> list[int]:
    """The processes that serve."""
    return tree(gateway.process.pid)[1:]


def listening(gateway: Gateway) -> int:
    """How many of them wait for connections at the one port, by the kernel's list."""
    port = f":{httpx.URL(gateway.url).port:04X}"
    sockets = (line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(address.endswith(port) and state == LISTENING for address, _, state in sockets)


def is_over(worker: int) -> bool:
    """Whether a process has ended, and its parent hasn't taken note yet."""
    return Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def listen(gateway: Gateway, prompt: str, begun: list[str]) -> bool:
    """Follow a run without end; whether the server has ended it, and not broken it off."""
    query = {"prompt": prompt, "public_key": PUBLIC_KEY}
    with httpx.stream("GET", f"{gateway.url}{SSE}", params=query, timeout=30) as answer:
        for line in answer.iter_lines():
            if line:
                begun.append(line)
    return True


def answers(gateway: Gateway) -> bool:
    """Whether a request on a new connection is served."""
    return httpx.get(f"{gateway.url}/readyz", timeout=10).is_success


def test_a_worker_that_is_killed_is_replaced(crew: Gateway) -> None:
    """Each in turn: the other one goes on meanwhile, and there are two again."""
    before = workers_of(crew)
    for number, victim in enumerate(before, 1):
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not set(before[:number]) & set(workers_of(crew)))  # noqa: B023 - called at once
        assert all(answers(crew) for _ in range(CALLERS))
        eventually(lambda: listening(crew) == WORKERS)
    assert text_of(crew, "Hello", stream=True)
    crew.stop()


def test_every_worker_learns_of_the_stop(crew: Gateway, question: str, threads: ThreadPoolExecutor) -> None:
    """What has no end of its own is ended at once, in each of them, and the exit code is 0."""
    begun: list[list[str]] = [[] for _ in range(CALLERS)]
    following = [threads.submit(listen, crew, f"{question} {number}", lines) for number, lines in enumerate(begun)]
    eventually(lambda: all(begun))
    stopped_at = time.monotonic()
    crew.stop()

    assert time.monotonic() - stopped_at < DRAIN_S
    assert all(run.result() for run in following)
    assert not re.search(r"\[error|traceback", crew.process.log(), re.IGNORECASE)


def test_answers_under_way_are_finished(
    crew: Gateway, sandbox: Sandbox, question: str, threads: ThreadPoolExecutor
) -> None:
    """By each worker, while no new ones are taken."""
    asking = [threads.submit(ask, crew, f"{question} @slow", stream=True) for _ in range(CALLERS)]
    eventually(lambda: len(sandbox.asked(question)) == CALLERS)
    crew.process.stop()

    assert [answer.result().text.count("[DONE]") for answer in asking] == [1] * CALLERS


def test_ctrl_c_reaches_the_workers_first(crew: Gateway) -> None:
    """A terminal signals all processes at once; workers that end before their parent wakes up are no failure."""
    parent = crew.process.pid
    os.kill(parent, signal.SIGSTOP)
    os.killpg(parent, signal.SIGINT)
    eventually(lambda: all(is_over(worker) for worker in workers_of(crew)))
    os.kill(parent, signal.SIGCONT)
    assert crew.process.end() == 0


def test_workers_that_still_load_end_at_once(sandbox: Sandbox, redis_url: str, tmp_path: Path) -> None:
    """They have nothing to close yet; nobody waits until they are killed."""
    log = tmp_path / "loading.log"
    command = [sys.executable, "-m", "grok_app.cli", "api", "--workers", str(WORKERS), "--port", str(free_port())]
    given = {"REDIS_URL": redis_url, "GROK_APP_DATA_DIR": str(tmp_path), "GROK_APP_UPSTREAM__GROK_URL": sandbox.url}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | given, stdout=output, stderr=output)
    eventually(lambda: "API: " in log.read_text() and len(tree(process.pid)) > WORKERS, within_s=START_LIMIT_S)
    process.terminate()
    assert process.wait(STOP_LIMIT_S) == 0
    assert "Killing" not in log.read_text()
