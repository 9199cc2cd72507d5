"""How soon one replica knows what was done at another, how soon leases of a dead one return, and whether quota is kept.

Two replicas on one PostgreSQL and one Redis. Times are those of a client that asks again and again, from the answer of
the one to the first answer of the other that has it.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx
from redis import Redis

from benchmarks.installations import empty_database
from benchmarks.load import run_load
from benchmarks.processes import APP_KEY, Served
from benchmarks.rounds import percentile
from benchmarks.workloads import Workload, ask_gateway

TIMES: Final = 50
HAMMERS: Final = 8
CALLERS: Final = 30
"""Of each hammer; together they want more than twice the quota."""
QUOTA: Final = 100
"""Of the account that they want; see `tests/accounts/hammer.py`."""
_ONE: Final = Workload("one", streams=1, requests=1)
_HELD: Final = Workload("held", streams=16, requests=16, pace_ms=100)
_LIMIT_S: Final = 10.0
_LEASES_LIMIT_S: Final = 120.0
_POLL_S: Final = 0.001
_ADMIN: Final = "/v1/admin"


@dataclass(frozen=True, slots=True)
class Spread:
    """How long one kind of change took to be known at the other replica."""

    name: str
    times_s: list[float]

    @property
    def p50_s(self) -> float:
        """The median."""
        return percentile(self.times_s, 50)

    @property
    def p99_s(self) -> float:
        """The slowest but one in a hundred."""
        return percentile(self.times_s, 99)


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of the leases of a replica that was killed."""

    leases: int
    """Held at that moment."""
    after_s: float
    """Until the last of them was free for others."""


@dataclass(frozen=True, slots=True)
class Hammered:
    """What many processes got that wanted one account at once."""

    processes: int
    asked: int
    served: int
    elapsed_s: float


async def measure_spread(here: Served, there: Served) -> list[Spread]:
    """Change things at the one, and look for them at the other."""
    async with _operator(here) as at_one, _operator(there) as at_other:
        [token, *_] = await _accounts(at_other)

        async def set_up(number: int) -> None:
            await _send(at_one, "POST", f"{_ADMIN}/config", {"app.filter_tags": [f"tag{number}"]})

        async def is_set_up(number: int) -> bool:
            answer = await at_other.get(f"{_ADMIN}/config")
            return bool(answer.json()["app"]["filter_tags"] == [f"tag{number}"])

        async def edit(number: int) -> None:
            await _send(at_one, "PATCH", f"{_ADMIN}/tokens", {"token": token, "quota": 1000 + number})

        async def is_edited(number: int) -> bool:
            return bool((await _accounts(at_other))[token]["quota"] == 1000 + number)

        used = sum(account["use_count"] for account in (await _accounts(at_other)).values())

        async def chat(_: int) -> None:
            load = await run_load(here.port, ask_gateway(_ONE), streams=1, requests=1)
            assert load.samples, load.errors  # noqa: S101 - else nothing was measured

        async def is_counted(number: int) -> bool:
            accounts = await _accounts(at_other)
            return bool(sum(account["use_count"] for account in accounts.values()) > used + number)

        return [
            await _measure("a setting", set_up, is_set_up),
            await _measure("an operator's edit of an account", edit, is_edited),
            await _measure("what a request has used", chat, is_counted),
        ]


async def measure_return(victim: Served, redis: Served) -> Returned:
    """Kill a replica in the middle of streams, and wait until Redis has taken back what they held."""
    streams = asyncio.create_task(
        run_load(victim.port, ask_gateway(_HELD), streams=_HELD.streams, requests=_HELD.requests)
    )
    await asyncio.sleep(2)
    with Redis(port=redis.port) as client:
        held = _count_leases(client)
        os.killpg(victim.pid, signal.SIGKILL)
        killed_at = time.monotonic()
        await streams
        while _count_leases(client) and time.monotonic() - killed_at < _LEASES_LIMIT_S:  # noqa: ASYNC110 - see _measure
            await asyncio.sleep(0.02)
        return Returned(held, time.monotonic() - killed_at)


def measure_hammering(redis: Served) -> Hammered:
    """Let many processes want more of one account than it has."""
    name = uuid4().hex
    with empty_database() as database_url, tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder:
        redis_url = f"redis://127.0.0.1:{redis.port}"
        command = [sys.executable, "-m", "tests.accounts.hammer", database_url, redis_url, name, folder]
        subprocess.run([*command, "prepare"], check=True)
        began_at = time.monotonic()
        crowd = [subprocess.Popen([*command, str(CALLERS)], stdout=subprocess.PIPE, text=True) for _ in range(HAMMERS)]
        said = Counter(line for process in crowd for line in process.communicate()[0].splitlines())
        return Hammered(HAMMERS, HAMMERS * CALLERS, said["served"], time.monotonic() - began_at)


def print_spreading(spreads: list[Spread], returned: Returned, hammered: Hammered) -> None:
    """Print the tables."""
    print(f"\nUntil the other replica knows, {TIMES} times each, ms{'':<9}p50      p99  slowest")
    for row in spreads:
        slowest_ms = max(row.times_s) * 1000
        print(f"  {row.name:<52}{row.p50_s * 1000:7.0f}  {row.p99_s * 1000:7.0f}  {slowest_ms:7.0f}")
    print(f"\nAfter kill -9 of a replica its {returned.leases} leases were free again in {returned.after_s:.1f} s")
    print(
        f"{hammered.processes} processes asked {hammered.asked} times at once for an account with a quota of {QUOTA}: "
        f"{hammered.served} were served, in {hammered.elapsed_s:.1f} s with the start of the processes"
    )


async def _measure(
    name: str, change: Callable[[int], Awaitable[None]], is_known: Callable[[int], Awaitable[bool]]
) -> Spread:
    times_s: list[float] = []
    for number in range(TIMES):
        await change(number)
        changed_at = time.monotonic()
        async with asyncio.timeout(_LIMIT_S):
            while not await is_known(number):  # noqa: ASYNC110 - another process has no event of ours
                await asyncio.sleep(_POLL_S)
        times_s.append(time.monotonic() - changed_at)
        await asyncio.sleep(0.037 * (number % 8))  # not always at the same moment of what looks every so often
    return Spread(name, times_s)


def _operator(replica: Served) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {APP_KEY}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{replica.port}", headers=headers, timeout=_LIMIT_S)


async def _accounts(admin: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    pools = (await admin.get(f"{_ADMIN}/tokens")).raise_for_status().json()
    return {account["token"]: account for accounts in pools.values() for account in accounts}


async def _send(admin: httpx.AsyncClient, method: str, path: str, body: object) -> None:
    (await admin.request(method, path, json=body)).raise_for_status()


def _count_leases(redis: Redis) -> int:
    return sum(redis.zcard(key) for key in redis.scan_iter("grok_app:*:leases"))  # type: ignore[misc] # redis-py's types are of both clients
