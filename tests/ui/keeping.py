"""The services behind the cache page: real ones, with a scripted Grok, and a door that stands open."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from grok_app.accounts import Accounts, OnlineFiles, Roster, open_roster
from grok_app.db import Notice, Vault, open_database, upgrade
from grok_app.media import Kind, MediaCache, open_media
from grok_app.settings import SettingsService, open_settings
from grok_app.tasks import Tasks, open_tasks
from grok_app.upstream import MediaUpstream
from tests.accounts.files import ScriptedFiles
from tests.tasks.works import until_over
from tests.ui.tabs import Door


@dataclass
class Keeping:
    """What the page asks."""

    sessions: Door
    settings: SettingsService
    media: MediaCache
    roster: Roster
    tasks: Tasks
    grok: ScriptedFiles
    online: OnlineFiles

    async def put(self, *names: str) -> None:
        """Keep files of these names, the last one the newest, two bytes each."""
        for name in names:
            await self.media.put(Kind.VIDEO if name.endswith("mp4") else Kind.IMAGE, name, b"xx")

    def names(self, kind: Kind = Kind.IMAGE) -> list[str]:
        """What is kept."""
        return sorted(entry.name for entry in self.media.newest(kind, 0, 1000))

    async def finish(self) -> None:
        """Wait for every task."""
        for task in self.tasks.running():
            await until_over(task)


@asynccontextmanager
async def keeping(folder: Path) -> AsyncGenerator[Keeping, None]:
    """Fresh services in this folder."""
    url = f"sqlite:///{folder / 'grok_app.db'}"
    upgrade(url)
    vault, grok = Vault(["a key for tests only"]), ScriptedFiles()
    async with open_database(url) as database, open_tasks() as tasks:
        settings = await open_settings(database, vault, {})
        async with (
            open_media(folder / "media", settings) as media,
            open_roster(database, vault, settings, Notice(folder / "accounts.notice")) as roster,
        ):
            accounts = cast("Accounts", None)  # picks an account where none is named; the page names them
            online = OnlineFiles(roster, accounts, cast("MediaUpstream", grok), tasks, settings)
            yield Keeping(Door(), settings, media, roster, tasks, grok, online)
