"""The services behind the accounts page: real ones on SQLite, with a scripted Grok, and a door that stands open."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reflex as rx

from grok_app.accounts import AccountJobs, Intake, Refresher, Roster, open_roster
from grok_app.db import Notice, Vault, open_database, upgrade
from grok_app.errors import AuthenticationError
from grok_app.settings import SettingsService, open_settings
from grok_app.tasks import Tasks, open_tasks
from tests.accounts.grok import ScriptedGrok


class Door:
    """Lets everybody in, until it is told not to."""

    is_open = True
    may_pass: int | None = None

    def refuse_after(self, count: int) -> None:
        """Shut it when so many have passed."""
        self.may_pass = count

    async def check(self, _cookie: str | None) -> None:
        """Refuse whoever comes when it is shut."""
        if self.may_pass is not None:
            self.is_open, self.may_pass = self.may_pass > 0, self.may_pass - 1
        if not self.is_open:
            raise AuthenticationError("Invalid authentication token")


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


class Background:
    """What a background event gets in its state's place: the state, held within `async with` alone."""

    def __init__(self, state: Any) -> None:
        object.__setattr__(self, "_state", state)

    async def __aenter__(self) -> "Background":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_state"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_state"), name, value)


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


def fresh(kind: type[rx.State]) -> Any:
    """The state of a tab that was just opened."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg] # Reflex's way for tests
    return root.get_substate(kind.get_full_name().split("."))


async def send(state: Any, event: str, **arguments: object) -> Sequence[Any]:
    """Let the browser send an event, its arguments by name as Reflex has them; what comes back for it to do."""
    handler = getattr(type(state), event)
    subject = Background(state) if handler.is_background else state
    return [answer async for answer in handler.fn(subject, **arguments)]
