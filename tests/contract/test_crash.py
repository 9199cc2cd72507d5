"""What a `kill -9` costs: of what requests change the last moments, of what the operator changes nothing."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from tests.conftest import ENDLESS, KEYS
from tests.contract.admin import PREFIXES, operator
from tests.contract.wire import CHAT, ask, body
from tests.servers import Gateway, Sandbox, eventually, start_gateway
from tests.storage import database_url, mysql_server

__all__ = ["database_url"]

SAVE_DELAY_MS = 300
WRITE_S = 1.0
"""More than a batch takes to be written, on a busy machine too."""
LOAD_S = 2.5
CALLERS = 8
QUOTA = 100_000
BUSY = [f"sandbox-basic-busy-{number}-{ENDLESS}" for number in range(10, 30)]
OLD = [f"sandbox-basic-old-{number:05}" for number in range(1_000)]
NEW = [f"sandbox-basic-new-{number:05}" for number in range(10_000)]
MIDDLE_BYTES = 500_000
"""So much of ten thousand rows is surely not all of them."""

Start = Callable[[], Gateway]


@pytest.fixture
def start(database_url: str, sandbox: Sandbox, tmp_path: Path) -> Generator[Start]:
    """Starts the gateway, again and again on the same storage; the last one ends with the test."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    settings = {**KEYS, "database_url": database_url, "token.save_delay_ms": str(SAVE_DELAY_MS)}
    started: list[Gateway] = []

    def begin() -> Gateway:
        started.append(start_gateway(folder, sandbox, {}, settings))
        return started[-1]

    yield begin
    started[-1].stop()


@pytest.fixture
def threads() -> Generator[ThreadPoolExecutor]:
    """For what goes on while the gateway is killed."""
    with ThreadPoolExecutor(CALLERS) as threads:
        yield threads


def replace(gateway: Gateway, items: list[Any]) -> None:
    """Let these be all the accounts."""
    with operator(gateway, PREFIXES[0]) as admin:
        admin.post("/tokens", json={"ssoBasic": items}).raise_for_status()


def listed(gateway: Gateway) -> list[dict[str, Any]]:
    """All accounts in the order of their tokens."""
    with operator(gateway, PREFIXES[0]) as admin:
        accounts: list[dict[str, Any]] = admin.get("/tokens").raise_for_status().json()["ssoBasic"]
    return sorted(accounts, key=lambda account: str(account["token"]))


def tokens_of(gateway: Gateway) -> list[str]:
    """The tokens of all accounts, in order."""
    return [account["token"] for account in listed(gateway)]


def written_bytes(database_url: str) -> int:
    """How much the database has written about accounts, what is not committed yet included."""
    if database_url.startswith("sqlite"):
        return Path(f"{database_url.removeprefix('sqlite:///')}-wal").stat().st_size
    if database_url.startswith("mysql"):
        name = database_url.rpartition("/")[2]
        with mysql_server() as server:
            server.execute(text("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"))
            server.execute(text(f"USE {name}"))
            return int(server.scalar(text("SELECT SUM(LENGTH(credential)) FROM account")) or 0)
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT pg_relation_size('account')").fetchone()
    return int(row[0]) if row else 0


def chat_until_it_is_gone(gateway: Gateway, finished_at: list[float]) -> None:
    """Ask one thing after the other, and note when each answer was there."""
    with httpx.Client(base_url=gateway.url, headers=gateway.auth, timeout=20) as http, suppress(httpx.TransportError):
        while True:
            http.post(CHAT, json=body("Hello", stream=False)).raise_for_status()
            finished_at.append(time.monotonic())


def test_a_kill_under_load_loses_only_the_last_moments(start: Start, threads: ThreadPoolExecutor) -> None:
    """Answers older than `token.save_delay_ms` and the time of a write stay counted, and every account is there."""
    gateway = start()
    replace(gateway, [{"token": token, "quota": QUOTA} for token in BUSY])
    finished_at: list[float] = []
    load = [threads.submit(chat_until_it_is_gone, gateway, finished_at) for _ in range(CALLERS)]
    wait(load, timeout=LOAD_S)
    gateway.kill()
    killed_at = time.monotonic()
    for caller in load:
        caller.result()

    again = start()
    accounts = listed(again)
    counted = sum(account["use_count"] for account in accounts)
    certain = sum(killed_at - at > SAVE_DELAY_MS / 1000 + WRITE_S for at in finished_at)
    assert 0 < certain <= counted <= len(finished_at) + CALLERS
    assert [account["token"] for account in accounts] == BUSY
    assert {account["use_count"] + account["quota"] for account in accounts} == {QUOTA}
    assert ask(again, "Hello", stream=False).status_code == 200


@pytest.mark.timeout(300)  # three starts, two of them with ten thousand accounts
def test_a_kill_during_a_replacement_leaves_the_old_list_or_the_new_one(
    start: Start, database_url: str, threads: ThreadPoolExecutor
) -> None:
    """Never a part of each; and the next one, once it is answered, survives a kill in the same moment."""
    gateway = start()
    replace(gateway, OLD)
    before = listed(gateway)
    size_bytes = written_bytes(database_url)
    replacing = threads.submit(replace, gateway, NEW)
    eventually(lambda: written_bytes(database_url) > size_bytes + MIDDLE_BYTES)
    gateway.kill()

    assert isinstance(replacing.exception(), httpx.TransportError)
    again = start()
    assert listed(again) == before or tokens_of(again) == NEW
    replace(again, NEW)
    again.kill()
    assert tokens_of(start()) == NEW
