"""What is stored, opened by several processes of one installation."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from grok_app.catalog import Pool
from grok_app.db import Vault, open_vault, upgrade
from grok_app.env import Env
from grok_app.runtime import Storage, open_storage
from tests.redis import Cable, forget, redis_url

__all__ = ["redis_url"]


class Installation:
    """One database, and a Redis; no folder is shared."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.vault: Vault = open_vault("", folder)
        self._folder = folder
        self._redis_url = redis_url
        self._database = f"sqlite:///{folder / 'grok_app.db'}"
        upgrade(self._database)

    def open(self, name: str, redis_url: str = "") -> AbstractAsyncContextManager[Storage]:
        """As another machine does."""
        env = Env(data_dir=self._folder / name, database_url=self._database, redis_url=redis_url or self._redis_url)
        return open_storage(env, self.vault, {})


@pytest.fixture
async def installation(tmp_path: Path, redis_url: str) -> AsyncGenerator[Installation]:
    """One that leaves nothing."""
    installation = Installation(tmp_path, redis_url)
    yield installation
    forget(redis_url, installation.vault.fingerprint("installation")[:16])


async def until_stream_is(storage: Storage, *, stream: bool) -> None:
    """Look as requests do, until the setting `app.stream` is this."""
    async with asyncio.timeout(10):
        while storage.settings.snapshot.app.stream is not stream:
            await asyncio.sleep(0.005)
            await storage.settings.catch_up()


async def test_changes_are_told_over_redis(installation: Installation) -> None:
    """Settings and accounts that one machine changes are known to another, which shares no folder with it."""
    async with installation.open("here") as here, installation.open("there") as there:
        assert there.settings.snapshot.app.stream is True
        await here.settings.change({"app.stream": False})
        await until_stream_is(there, stream=False)

        await here.roster.add({Pool.BASIC: ["a-token"]})
        async with asyncio.timeout(10):
            while not there.roster.all():  # noqa: ASYNC110 - another process's doing has no event
                await asyncio.sleep(0.01)


async def test_a_command_tells_before_it_ends(installation: Installation) -> None:
    """Though it ends with its change."""
    async with installation.open("there") as there:
        async with installation.open("here") as here:
            await here.settings.change({"app.stream": False})
        await until_stream_is(there, stream=False)


async def test_a_change_is_made_without_redis_and_told_when_it_is_back(
    installation: Installation, redis_url: str
) -> None:
    """Nobody waits for it, and nobody must be started again."""
    cable = Cable(redis_url)
    await cable.plug()
    async with installation.open("here", cable.url) as here, installation.open("there") as there:
        await cable.cut()
        async with asyncio.timeout(1):
            await here.settings.change({"app.stream": False})
        assert here.settings.snapshot.app.stream is False
        await cable.plug()
        await until_stream_is(there, stream=False)
    await cable.cut()
