"""Two replicas as processes, each with a folder of its own, behind nginx, on one database and one Redis."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from grok_app.db import open_vault
from grok_app.runtime.storage import _installation
from tests import nginx
from tests.conftest import KEYS, QUICK_RETRIES
from tests.contract.admin import PREFIXES, operator
from tests.redis import Cable, forget
from tests.servers import RUNNING, Gateway, Sandbox, eventually, free_port, start_gateway

QUOTA: Final = 1000
"""Of each account: more than the tests can use up."""
MOST_REQUESTS: Final = 6
"""Of a visitor in a minute."""
SETTINGS: Final = {
    **KEYS,
    **QUICK_RETRIES,
    "trusted_proxies": "127.0.0.1",
    "app.public_enabled": "true",
    "public.requests_per_minute": str(MOST_REQUESTS),
    "token.auto_refresh": "false",
    "token.max_inflight": "1",
    "token.save_delay_ms": "100",
    "usage.concurrent": "2",
    "usage.timeout": "1",
}


@dataclass
class Line:
    """A cable that is worked from outside its event loop."""

    portal: BlockingPortal
    cable: Cable

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Let nothing through while the block runs."""
        self.portal.call(self.cable.cut)
        try:
            yield
        finally:
            self.portal.call(self.cable.plug)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Keep everything that comes while the block runs, without a word to either end."""
        self.portal.call(self.cable.hold)
        try:
            yield
        finally:
            self.portal.call(self.cable.let_go)


@dataclass
class Pair:
    """Both replicas, and what is before and behind them."""

    database: Line
    redis: Line
    database_url: str
    """The database without the cable."""
    front: str
    """Where nginx is."""
    start: Callable[[int], Gateway]
    replicas: list[Gateway] = field(default_factory=list)

    @property
    def a(self) -> Gateway:
        """The one."""
        return self.replicas[0]

    @property
    def b(self) -> Gateway:
        """The other."""
        return self.replicas[1]

    def heal(self) -> None:
        """Start what a test has ended, and wait until both can serve."""
        for number, replica in enumerate(self.replicas):
            if replica.process not in RUNNING:
                self.replicas[number] = self.start(number)
        eventually(lambda: all(is_ready(replica) for replica in self.replicas))

    def employ(self, tokens: list[str]) -> None:
        """Let these be all the accounts, each with `QUOTA`, and wait until both replicas know them."""
        with operator(self.a, PREFIXES[0]) as admin:
            items = [{"token": token, "quota": QUOTA} for token in tokens]
            admin.post("/tokens", json={"ssoBasic": items}).raise_for_status()
        for replica in self.replicas:
            eventually(lambda: accounts_of(replica).keys() == set(tokens))  # noqa: B023 - called at once

    def agree(self) -> dict[str, dict[str, Any]]:
        """Wait until both replicas say the same of all accounts; what they say."""
        eventually(lambda: accounts_of(self.a) == accounts_of(self.b))
        return accounts_of(self.b)


def accounts_of(replica: Gateway) -> dict[str, dict[str, Any]]:
    """Every account by its token, as this replica knows it."""
    with operator(replica, PREFIXES[0]) as admin:
        pools = admin.get("/tokens").raise_for_status().json()
    return {account["token"]: account for accounts in pools.values() for account in accounts}


def is_ready(replica: Gateway) -> bool:
    """Whether everything that it needs answers."""
    return httpx.get(f"{replica.url}/readyz", timeout=10).is_success


@contextmanager
def two_replicas(folder: Path, sandbox: Sandbox, database_url: str, redis_url: str) -> Iterator[Pair]:
    """Both of them, and nginx, until the block ends."""
    secret_key = uuid4().hex
    with plugged(database_url) as database, plugged(redis_url) as redis:
        kept_in = {"database_url": database.cable.url, "redis_url": redis.cable.url, "secret_key": secret_key}
        start = _starter(folder, sandbox, {**SETTINGS, **kept_in})
        replicas = [start(0), start(1)]
        addresses = [replica.url.removeprefix("http://") for replica in replicas]
        with nginx.running(folder, free_port(), addresses) as front:
            pair = Pair(database, redis, database_url, front, start, replicas)
            yield pair
        for replica in pair.replicas:
            if replica.process in RUNNING:
                replica.stop()
    forget(redis_url, _installation(open_vault(secret_key, folder)))


def _starter(folder: Path, sandbox: Sandbox, settings: Mapping[str, str]) -> Callable[[int], Gateway]:
    ports = [free_port(), free_port()]

    def start(number: int) -> Gateway:
        own = folder / f"replica-{'ab'[number]}"
        own.mkdir(exist_ok=True)
        return start_gateway(own, sandbox, {}, settings, port=ports[number])

    return start


@contextmanager
def plugged(url: str) -> Iterator[Line]:
    """A way to this server that can be cut, while the block runs."""
    with start_blocking_portal() as portal:
        line = Line(portal, Cable(url))
        portal.call(line.cable.plug)
        yield line
        portal.call(line.cable.cut)
