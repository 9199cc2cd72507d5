"""A cache in a folder of its own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from grok_app.db import Vault, open_database, upgrade
from grok_app.media import MediaCache, open_media
from grok_app.settings import SettingsService, open_settings


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncGenerator[SettingsService, None]:
    """Settings at their defaults, but for a limit of 1 MB."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    upgrade(url)
    async with open_database(url) as database:
        settings = await open_settings(database, Vault(["a key for tests only"]), {})
        await settings.store({"cache.limit_mb": 1})
        yield settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    return tmp_path / "media"


@pytest.fixture
async def cache(folder: Path, settings: SettingsService) -> AsyncGenerator[MediaCache, None]:
    """A cache that is empty at first."""
    async with open_media(folder, settings) as cache:
        yield cache
