"""The services behind the accounts page: real ones on SQLite, with a scripted Grok, and a door that stands open."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from grok_app.accounts import AccountJobs, Intake, Refresher, Roster, open_roster
from grok_app.db import Notice, Vault, open_database, upgrade
from grok_app.settings import SettingsService, open_settings
from grok_app.tasks import Tasks, open_tasks
from tests.accounts.grok import ScriptedGrok
from tests.ui.tabs import Door


@dataclass
class Crowd:
    """What the page asks."""

    sessions: Door
    settings: SettingsService
    roster: Roster
    tasks: Tasks
    grok: ScriptedGrok
    jobs: AccountJobs
    intake: Intake

    def id_of(self, token: str) -> int:
        """The id of the account with this token."""
        account = self.roster.find(token)
        assert account is not None
        return account.id

    def tokens(self) -> list[str]:
        """The tokens of all accounts."""
        return [account.credential.get_secret_value() for account in self.roster.all()]


@asynccontextmanager
async def crowd(folder: Path) -> AsyncGenerator[Crowd, None]:
    """Fresh services in this folder."""
    url = f"sqlite:///{folder / 'grok_app.db'}"
    upgrade(url)
    vault, grok = Vault(["a key for tests only"]), ScriptedGrok()
    async with open_database(url) as database, open_tasks() as tasks:
        settings = await open_settings(database, vault, {})
        async with open_roster(database, vault, settings, Notice(folder / "accounts.notice")) as roster:
            jobs = AccountJobs(roster, Refresher(roster, grok, settings), grok, tasks, settings)
            yield Crowd(Door(), settings, roster, tasks, grok, jobs, Intake())
