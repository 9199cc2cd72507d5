"""What is stored: opened for the server, for the command line, and for the keys before the first start."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from grok_app.accounts import Roster, open_roster
from grok_app.catalog import Pool
from grok_app.db import Database, Notice, Vault, open_database, open_shared_mark, open_vault, upgrade
from grok_app.env import Env, current_env
from grok_app.logs import get_logger
from grok_app.settings import KEYS, SettingsService, open_settings
from grok_app.shared import Shared, open_shared

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Storage:
    """What is stored, and what other processes share of it."""

    database: Database
    shared: Shared | None
    """None: this process is alone."""
    settings: SettingsService
    roster: Roster


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The three keys by name; None for one that is not told."""

    app_key: str | None = None
    api_key: str | None = None
    public_key: str | None = None


def prepare_storage() -> Keys:
    """Bring the database up to date and make the keys that were never set. Blocks; runs before the server.

    Returns:
        The keys that were made just now, to be shown once.

    Raises:
        ConfigurationError: A setting is wrong.
        sqlalchemy.exc.SQLAlchemyError: The database can't be reached or a migration failed; nothing has changed.
    """
    env, overrides = current_env()
    upgrade(env.database)
    return asyncio.run(_ensure_keys(env, overrides))


def seed_demo(accounts: Mapping[Pool, list[str]]) -> Keys:
    """Store these accounts, fresh, beside the ones already there. Blocks; runs after `prepare_storage`.

    The sandbox forgets what was asked when it ends, so an account that is there already starts anew as well.

    Returns:
        The keys in force, to be shown with the demo's address.
    """
    env, overrides = current_env()
    return asyncio.run(_seed(env, overrides, accounts))


async def _ensure_keys(env: Env, overrides: Mapping[str, str]) -> Keys:
    async with open_storage(env, vault_of(env), overrides) as storage:
        return Keys(**await storage.settings.ensure_keys())


async def _seed(env: Env, overrides: Mapping[str, str], accounts: Mapping[Pool, list[str]]) -> Keys:
    async with open_storage(env, vault_of(env), overrides) as storage:
        for credentials in accounts.values():
            await storage.roster.delete(credentials)
        await storage.roster.add(accounts)
        app = storage.settings.snapshot.app
        return Keys(**{key: getattr(app, key).get_secret_value() for key in KEYS})


@asynccontextmanager
async def open_storage(
    env: Env, vault: Vault, overrides: Mapping[str, str], *, is_rehearsal: bool = False
) -> AsyncGenerator[Storage, None]:
    """What is stored, for as long as the block runs. The schema must be up to date.

    Args:
        env: Names the database and the data folder.
        vault: Opens what is sealed.
        overrides: The settings that the environment holds.
        is_rehearsal: Whatever is written is taken back at once; settings and roster go on as if it were there.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    _make_data_dir(env)
    async with (
        open_shared("" if is_rehearsal else env.redis_url, _installation(vault)) as shared,
        open_database(env.database, is_rehearsal=is_rehearsal) as database,
        _open_notice(env, shared, "settings") as settings_notice,
        _open_notice(env, shared, "accounts") as accounts_notice,
    ):
        settings = await open_settings(database, vault, overrides, notice=settings_notice)
        async with open_roster(database, vault, settings, accounts_notice, shared) as roster:
            yield Storage(database, shared, settings, roster)


@asynccontextmanager
async def _open_notice(env: Env, shared: Shared | None, name: str) -> AsyncGenerator[Notice, None]:
    """In Redis if there is one, for every process of the installation; else for those of this data folder."""
    if shared is None:
        yield Notice(env.data_dir / f"{name}.notice")
        return
    async with open_shared_mark(shared, name) as mark:
        yield Notice(mark)


def _make_data_dir(env: Env) -> None:
    try:
        env.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # with a database and a secret key elsewhere it holds the notices alone
        log.warning("the data folder can't be made", folder=str(env.data_dir), exc_info=True)


def vault_of(env: Env) -> Vault:
    """The vault that the environment names, see `open_vault`."""
    return open_vault(env.secret_key.get_secret_value(), env.data_dir)


def _installation(vault: Vault) -> str:
    """What the processes of an installation call it among themselves: those that hold the same secret key."""
    return vault.fingerprint("installation")[:16]
