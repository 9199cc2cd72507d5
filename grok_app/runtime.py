"""The services of a process: opened in one order, closed in the opposite one, reached by pages and API alike."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from grok_app.access import Access
from grok_app.accounts import Accounts, open_accounts
from grok_app.catalog import Pool
from grok_app.chat import ChatService
from grok_app.db import Database, Vault, open_database, open_vault, upgrade
from grok_app.env import Env, current_env
from grok_app.logs import configure_logging, get_logger
from grok_app.settings import KEYS, Settings, SettingsService, open_settings
from grok_app.upstream import GrokWebOptions, open_grokweb

log = get_logger(__name__)
_CHECK_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that pages and API call."""

    env: Env
    database: Database
    settings: SettingsService
    access: Access
    accounts: Accounts
    chat: ChatService

    async def find_failures(self) -> list[str]:
        """Ask everything that requests need whether it answers; the names of what doesn't."""
        checks = {"database": self.database.ping}
        if self.env.redis_url:
            checks["redis"] = self._ping_redis
        return [name for name, check in checks.items() if not await _answers(check)]

    async def _ping_redis(self) -> None:
        async with Redis.from_url(self.env.redis_url) as redis:
            await cast("Awaitable[bool]", redis.ping())


async def _answers(check: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            await check()
    except (SQLAlchemyError, RedisError, OSError, TimeoutError):
        log.warning("readiness check failed", exc_info=True)
        return False
    return True


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The three keys by name; None for one that is not told."""

    app_key: str | None = None
    api_key: str | None = None
    public_key: str | None = None


_current: list[Services] = []


def current() -> Services:
    """The services of this process.

    Raises:
        RuntimeError: They are not open.
    """
    if not _current:
        raise RuntimeError("the services are not open: open_services() runs around the server's life")
    return _current[-1]


@asynccontextmanager
async def open_services() -> AsyncGenerator[Services, None]:
    """Open the services for this process, as its environment says. The schema must be up to date.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    env, overrides = current_env()
    configure_logging(env.log_level, as_json=env.log_json)
    async with (
        _open_storage(env, overrides) as (database, settings),
        open_accounts(database, _vault(env), settings) as accounts,
        open_grokweb(lambda: _grokweb_options(settings.snapshot)) as upstream,
    ):
        services = Services(
            env=env,
            database=database,
            settings=settings,
            access=Access(settings),
            accounts=accounts,
            chat=ChatService(upstream, accounts, settings),
        )
        _current.append(services)
        # What lives as long as the process is no business of the collector's: first text at 16 streams, p99, 106 to
        # 47 ms (2026-11-23).
        gc.collect()
        gc.freeze()
        try:
            yield services
        finally:
            _current.remove(services)


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
    async with _open_storage(env, overrides) as (_, settings):
        return Keys(**await settings.ensure_keys())


async def _seed(env: Env, overrides: Mapping[str, str], accounts: Mapping[Pool, list[str]]) -> Keys:
    async with (
        _open_storage(env, overrides) as (database, settings),
        open_accounts(database, _vault(env), settings) as pool,
    ):
        for name, credentials in accounts.items():
            await pool.delete(credentials)
            await pool.add(name, credentials)
        app = settings.snapshot.app
        return Keys(**{key: getattr(app, key).get_secret_value() for key in KEYS})


@asynccontextmanager
async def _open_storage(
    env: Env, overrides: Mapping[str, str]
) -> AsyncGenerator[tuple[Database, SettingsService], None]:
    async with open_database(env.database) as database:
        yield database, await open_settings(database, _vault(env), overrides)


def _vault(env: Env) -> Vault:
    return open_vault(env.secret_key.get_secret_value(), env.data_dir)


def _grokweb_options(settings: Settings) -> GrokWebOptions:
    return GrokWebOptions(
        base_url=settings.upstream.grok_url,
        proxy=settings.proxy.base_proxy_url.get_secret_value(),
        browser=settings.proxy.browser,
        user_agent=settings.proxy.user_agent,
        cf_clearance=settings.proxy.cf_clearance,
        extra_headers=settings.upstream.extra_headers,
        dynamic_statsig=settings.app.dynamic_statsig,
        is_temporary=settings.app.temporary,
        disable_memory=settings.app.disable_memory,
        first_frame_timeout_s=settings.chat.timeout,
        idle_timeout_s=settings.chat.stream_timeout,
    )
