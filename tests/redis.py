"""A Redis server for tests: the one of this machine, each test with a name of its own. See REDIS_URL below."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio
from redis import Redis

from grok_app.shared import Shared, open_shared

URL: Final = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The server; without one its tests are skipped."""
    address = urlsplit(URL)
    try:
        socket.create_connection((address.hostname or "127.0.0.1", address.port or 6379), timeout=1).close()
    except OSError:
        pytest.skip(f"no Redis answers at {URL}")
    return URL


@pytest_asyncio.fixture
async def shared(redis_url: str) -> AsyncGenerator[Shared]:
    """A part of it that is this test's alone."""
    name = uuid4().hex
    async with open_shared(redis_url, name) as shared:
        assert shared
        yield shared
    forget(redis_url, name)


def forget(url: str, name: str) -> None:
    """Remove what a test has left."""
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter(f"grok_app:{name}:*"):
            redis.delete(key)


def kept_in(url: str, name: str) -> list[str]:
    """The keys under which something is kept there, and what lists and sorted sets have in them, as text."""
    with Redis.from_url(url) as redis:
        keys = list(redis.scan_iter(f"grok_app:{name}:*"))
        return [str((key, redis.dump(key))) for key in keys]


class Cable:
    """A way to a server that can be cut: a port of this machine whose connections are handed on.

    Args:
        url: The server; without a port it is Redis.
    """

    def __init__(self, url: str) -> None:
        self._address = address = urlsplit(url)
        self._target = address.hostname or "127.0.0.1", address.port or 6379
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._port = 0
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def url(self) -> str:
        """The server through this cable."""
        user, at, _ = self._address.netloc.rpartition("@")
        return self._address._replace(netloc=f"{user}{at}127.0.0.1:{self._port}").geturl()

    async def plug(self) -> None:
        """Let connections through, on the same port as before."""
        self._server = await asyncio.start_server(self._link, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break all connections, and take no more."""
        assert self._server
        self._server.close()
        for link in tuple(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def hold(self) -> None:
        """Let nothing through, and keep what comes: to either end the other one is silent."""
        self._flows.clear()

    async def let_go(self) -> None:
        """Let everything through again, and what was kept first."""
        self._flows.set()

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link
        self._links.add(link)
        there, back = await asyncio.open_connection(*self._target)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, back))
                both.create_task(self._pump(there, writer))
        except asyncio.CancelledError:
            pass  # the cable was cut
        finally:
            self._links.discard(link)
            for end in (writer, back):
                end.transport.abort()
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@pytest_asyncio.fixture
async def cable(redis_url: str) -> AsyncGenerator[Cable]:
    """A way to Redis that can be cut."""
    cable = Cable(redis_url)
    await cable.plug()
    yield cable
    await cable.cut()
