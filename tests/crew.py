"""What work with files and pictures stands on: accounts, settings and a cache, real ones in a temporary folder."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from grok_app.accounts import Accounts, Refresher, open_roster
from grok_app.accounts.roster import Roster
from grok_app.catalog import DEFAULT_QUOTA, Pool
from grok_app.db import Notice, Vault, open_database, upgrade
from grok_app.media import MediaCache, open_media
from grok_app.settings import SettingsService, open_settings
from tests.accounts.grok import ScriptedGrok

_SETTINGS: Final = {
    "token.max_inflight": 1,
    "retry.retry_backoff_base": 0.01,
    "retry.retry_backoff_max": 0.01,
    "image.final_timeout": 0.1,
    "image.blocked_grace_seconds": 0.1,
    "image.medium_min_bytes": 40,
    "image.final_min_bytes": 80,
}
"""One request at a time for each account, and short waits. What is a medium picture, see `tests.imagine.frames`."""


@dataclass(frozen=True)
class Crew:
    """Accounts and a cache."""

    roster: Roster
    accounts: Accounts
    settings: SettingsService
    cache: MediaCache
    folder: Path
    """Where the cache is."""

    async def hire(self, *names: str, pool: Pool = Pool.BASIC) -> None:
        """Add accounts; their names are their credentials."""
        added = await self.roster.add({pool: list(names)})
        assert added.added == len(names)

    def pool_of(self, name: str) -> Pool | None:
        """Which pool an account is in."""
        account = self.roster.find(name)
        return account.pool if account else None

    def is_at_rest(self) -> bool:
        """Whether every account was given back."""
        return not self.roster.pool.has_busy(list(Pool))

    def used(self) -> dict[str, int]:
        """What was taken from the quota of accounts, where anything was."""
        return {
            account.credential.get_secret_value(): used
            for account in self.roster.all()
            if (used := DEFAULT_QUOTA[account.pool] - account.quota)
        }


@pytest.fixture
async def crew(tmp_path: Path) -> AsyncGenerator[Crew, None]:
    """Nobody is hired yet."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    upgrade(url)
    vault = Vault(["a key for tests only"])
    async with AsyncExitStack() as stack:
        stack.enter_context(capture_logs())  # drawing tracebacks takes seconds
        database = await stack.enter_async_context(open_database(url))
        settings = await open_settings(database, vault, {})
        await settings.store(_SETTINGS)
        notice = Notice(tmp_path / "accounts.notice")
        roster = await stack.enter_async_context(open_roster(database, vault, settings, notice))
        cache = await stack.enter_async_context(open_media(tmp_path / "media", settings))
        accounts = Accounts(roster, Refresher(roster, ScriptedGrok(), settings))
        yield Crew(roster, accounts, settings, cache, tmp_path / "media")
