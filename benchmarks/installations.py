"""Installations to compare: one process or several, each on an empty PostgreSQL database and perhaps on Redis."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg

from benchmarks.processes import Served, free_port, run_process, start_gateway, tree

POSTGRES: Final = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")
ACCOUNTS: Final = 500
"""Their quota of 80 each is more than a run asks for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an installation is made of."""

    name: str
    replicas: int = 1
    """Servers, each with a data folder and a port of its own."""
    workers: int = 1
    """Of each server, on its one port."""
    has_redis: bool = True


ALONE: Final = Kind("1 worker, no Redis", has_redis=False)
ONE: Final = Kind("1 worker")
TWO_WORKERS: Final = Kind("2 workers", workers=2)
TWO_REPLICAS: Final = Kind("2 replicas", replicas=2)
KINDS: Final = (ALONE, ONE, TWO_WORKERS, TWO_REPLICAS)


@dataclass(frozen=True, slots=True)
class Installation:
    """One that runs."""

    kind: Kind
    replicas: list[Served]

    @property
    def workers(self) -> list[int]:
        """The processes that serve, by their number; what has started them serves nothing."""
        return [pid for replica in self.replicas for pid in tree(replica.pid) if pid != replica.pid]

    @property
    def processes(self) -> int:
        """How many serve."""
        return len(self.workers)


@contextmanager
def running_redis(folder: Path) -> Iterator[Served]:
    """A Redis of our own, so that its counters count nobody else's commands.

    Raises:
        RuntimeError: `redis-server` is not installed, or did not start.
    """
    if not (program := shutil.which("redis-server")):
        raise RuntimeError("redis-server is not installed: apt-get install redis-server")
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    with run_process([program, *options], port, folder / "redis.log") as redis:
        yield redis


@contextmanager
def empty_database() -> Iterator[str]:
    """The URL of a new database at `TEST_POSTGRES_URL`, which is gone after the block.

    Raises:
        RuntimeError: No server answers there.
    """
    name = f"grok_app_bench_{uuid4().hex}"
    try:
        server = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True)
    except psycopg.OperationalError as error:
        raise RuntimeError(f"no PostgreSQL at TEST_POSTGRES_URL ({POSTGRES}): {error}") from error
    with server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{POSTGRES}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def installed(folder: Path, sandbox: Served, kind: Kind, redis: Served) -> Iterator[Installation]:
    """Run an installation of this kind until the block ends.

    Args:
        folder: For what it keeps beside the database, and its logs.
        sandbox: What it takes for Grok.
        kind: What it is made of.
        redis: Where its processes meet, if they do.
    """
    redis_url = f"redis://127.0.0.1:{redis.port}" if kind.has_redis else ""
    with ExitStack() as stack:
        settings = {
            "database_url": stack.enter_context(empty_database()),
            "secret_key": uuid4().hex,
            "workers": str(kind.workers),
        }
        replicas = []
        for number in range(kind.replicas):
            own = folder / f"{kind.name.replace(' ', '-')}-{number}"
            own.mkdir()
            accounts = 0 if number else ACCOUNTS  # they have the same ones
            started = start_gateway(own, sandbox, accounts, settings, redis_url=redis_url)
            replicas.append(stack.enter_context(started))
        yield Installation(kind, replicas)
