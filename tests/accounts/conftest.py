"""Storage tests run on each database; Grok is played by a script."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from grok_app.accounts import AccountJobs, Accounts, OnlineFiles, Refresher, Roster, open_roster
from grok_app.catalog import Pool
from grok_app.db import Database, Notice, Vault
from grok_app.settings import SettingsService
from grok_app.shared import Shared, open_shared
from grok_app.tasks import Tasks, open_tasks
from grok_app.upstream import MediaUpstream
from tests.accounts.files import ScriptedFiles
from tests.accounts.grok import ScriptedGrok
from tests.redis import forget, redis_url
from tests.storage import database, database_url, settings, vault

__all__ = ["database", "database_url", "redis_url", "settings", "vault"]


class Rosters:
    """Opens rosters on one database, as several processes of one installation would: with Redis, or only one serves."""

    def __init__(
        self, database: Database, vault: Vault, settings: SettingsService, folder: Path, shared: Shared | None
    ) -> None:
        self._database, self._vault, self._settings, self._folder = database, vault, settings, folder
        self._shared = shared

    def open(self) -> AbstractAsyncContextManager[Roster]:
        """One more."""
        notice = Notice(self._folder / "accounts.notice")
        return open_roster(self._database, self._vault, self._settings, notice, self._shared)


@pytest.fixture(params=["alone", "redis"])
async def meeting(request: pytest.FixtureRequest) -> AsyncGenerator[Shared | None]:
    """Where processes meet: nowhere, or in a Redis."""
    if request.param == "alone":
        yield None
        return
    url, name = request.getfixturevalue("redis_url"), uuid4().hex
    async with open_shared(url, name) as shared:
        yield shared
    forget(url, name)


@pytest.fixture
def rosters(
    database: Database, vault: Vault, settings: SettingsService, tmp_path: Path, meeting: Shared | None
) -> Rosters:
    """For tests that open more than one."""
    return Rosters(database, vault, settings, tmp_path, meeting)


@pytest.fixture
async def roster(rosters: Rosters) -> AsyncGenerator[Roster, None]:
    """One basic account, `first`."""
    async with rosters.open() as opened:
        await opened.add({Pool.BASIC: ["first"]})
        yield opened


@pytest.fixture
def grok() -> ScriptedGrok:
    """Grok, answering as the test says."""
    return ScriptedGrok()


@pytest.fixture
def refresher(roster: Roster, grok: ScriptedGrok, settings: SettingsService) -> Refresher:
    """Asks the scripted Grok."""
    return Refresher(roster, grok, settings)


@pytest.fixture
def accounts(roster: Roster, refresher: Refresher) -> Accounts:
    """Lends what the roster has."""
    return Accounts(roster, refresher)


@pytest.fixture
async def tasks() -> AsyncGenerator[Tasks, None]:
    """Ended with the test."""
    async with open_tasks() as opened:
        yield opened


@pytest.fixture
def jobs(
    roster: Roster, refresher: Refresher, grok: ScriptedGrok, tasks: Tasks, settings: SettingsService
) -> AccountJobs:
    """Starts tasks over the roster's accounts."""
    return AccountJobs(roster, refresher, grok, tasks, settings)


@pytest.fixture
async def files() -> ScriptedFiles:
    """What Grok keeps: nothing yet."""
    return ScriptedFiles()


@pytest.fixture
def online(
    roster: Roster, accounts: Accounts, files: ScriptedFiles, tasks: Tasks, settings: SettingsService
) -> OnlineFiles:
    """Counts and clears what the scripted Grok keeps."""
    upstream = cast("MediaUpstream", files)  # of which it has what is asked for here
    return OnlineFiles(roster, accounts, upstream, tasks, settings)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try Redis beside one database: neither knows of the other, and three times two would take minutes."""
    items[:] = [item for item in items if not _is_needless(item)]


def _is_needless(item: pytest.Item) -> bool:
    chosen = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return chosen.get("meeting") == "redis" and chosen.get("database_url") not in (None, "postgresql")
