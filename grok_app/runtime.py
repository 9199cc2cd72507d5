"""The services of a process: opened in one order, closed in the opposite one, reached by pages and API alike."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from grok_app.access import Access, Sessions, Tickets, Visitors, open_tickets
from grok_app.accounts import (
    TURN,
    TURN_S,
    AccountJobs,
    Accounts,
    Intake,
    OnlineFiles,
    RefreshSchedule,
    Roster,
    open_refresher,
    open_roster,
)
from grok_app.catalog import Pool
from grok_app.chat import ChatService, ReasoningEffort
from grok_app.db import Database, Notice, Turn, Vault, open_database, open_vault, upgrade
from grok_app.env import Env, current_env
from grok_app.imagine import EditService, ImagesRequest, ImagineService
from grok_app.logs import configure_logging, get_logger
from grok_app.media import Files, MediaCache, Sources, Transfer, open_media, open_remote_files
from grok_app.reach import grokweb_options
from grok_app.requests import Requests, open_requests
from grok_app.settings import KEYS, SettingsService, open_settings
from grok_app.tasks import Tasks, open_tasks
from grok_app.upstream import open_grokweb
from grok_app.video import VideoRequest, VideoService
from grok_app.voice import VoiceService

log = get_logger(__name__)
_CHECK_TIMEOUT_S: Final = 3.0
_WAITING_DRAWINGS: Final = 32
_WAITING_FILMS: Final = 4
"""Of one address; a film may have a picture of 50 MB."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that pages and API call."""

    env: Env
    database: Database
    settings: SettingsService
    access: Access
    sessions: Sessions
    visitors: Visitors
    drawings: Tickets[ImagesRequest]
    """What visitors want to have drawn."""
    films: Tickets[tuple[VideoRequest, ReasoningEffort | None]]
    """What they want to have filmed, and the reasoning effort that they say."""
    tasks: Tasks
    roster: Roster
    accounts: Accounts
    jobs: AccountJobs
    online: OnlineFiles
    intake: Intake
    """Texts with accounts that operators hand in."""
    chat: ChatService
    imagine: ImagineService
    edits: EditService
    video: VideoService
    voice: VoiceService
    media: MediaCache
    requests: Requests

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
    vault = vault_of(env)
    async with (
        open_storage(env, vault, overrides) as (database, settings, roster),
        open_requests(database, vault, settings) as requests,
        open_grokweb(lambda: grokweb_options(settings.snapshot)) as upstream,
        open_refresher(roster, upstream, settings) as refresher,
        open_tasks() as tasks,
        open_media(env.data_dir / "media", settings) as media,
        open_remote_files() as remote,
        open_tickets(_WAITING_DRAWINGS) as drawings,
        open_tickets(_WAITING_FILMS) as films,
    ):
        access = Access(settings)
        accounts = Accounts(roster, refresher)
        files = Files(media, Sources(media, remote, settings), Transfer(upstream, media, settings))
        services = Services(
            env=env,
            database=database,
            settings=settings,
            access=access,
            sessions=Sessions(database, vault, settings, access),
            visitors=Visitors(settings),
            drawings=drawings,
            films=films,
            tasks=tasks,
            roster=roster,
            accounts=accounts,
            jobs=AccountJobs(roster, refresher, upstream, tasks, settings),
            intake=Intake(),
            chat=ChatService(upstream, accounts, files, settings),
            imagine=ImagineService(upstream, accounts, media, settings),
            edits=EditService(upstream, accounts, files, settings),
            video=VideoService(upstream, accounts, files, settings),
            voice=VoiceService(upstream, accounts, settings),
            online=OnlineFiles(roster, accounts, upstream, tasks, settings),
            media=media,
            requests=requests,
        )
        schedule = RefreshSchedule(roster, services.jobs, settings, Turn(database, TURN, TURN_S))
        async with _in_background(schedule.run()), _in_background(_keep_up(settings)):
            with _as_current(services):
                yield services


async def _keep_up(settings: SettingsService) -> None:
    """For whoever reads settings without a request, a page's open socket say; requests look for themselves."""
    while True:
        await asyncio.sleep(1)
        try:
            await settings.catch_up()
        except Exception:  # one bad look must not end all later ones
            log.exception("settings could not be read, trying again")


@contextmanager
def _as_current(services: Services) -> Generator[None, None, None]:
    _current.append(services)
    # What lives as long as the process is no business of the collector's: first text at 16 streams, p99, 106 to
    # 47 ms (2026-11-23).
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        _current.remove(services)


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None, None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
    async with open_storage(env, vault_of(env), overrides) as (_, settings, _):
        return Keys(**await settings.ensure_keys())


async def _seed(env: Env, overrides: Mapping[str, str], accounts: Mapping[Pool, list[str]]) -> Keys:
    async with open_storage(env, vault_of(env), overrides) as (_, settings, roster):
        for credentials in accounts.values():
            await roster.delete(credentials)
        await roster.add(accounts)
        app = settings.snapshot.app
        return Keys(**{key: getattr(app, key).get_secret_value() for key in KEYS})


@asynccontextmanager
async def open_storage(
    env: Env, vault: Vault, overrides: Mapping[str, str], *, is_rehearsal: bool = False
) -> AsyncGenerator[tuple[Database, SettingsService, Roster], None]:
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
    async with open_database(env.database, is_rehearsal=is_rehearsal) as database:
        settings = await open_settings(database, vault, overrides, notice=Notice(env.data_dir / "settings.notice"))
        async with open_roster(database, vault, settings, Notice(env.data_dir / "accounts.notice")) as roster:
            yield database, settings, roster


def _make_data_dir(env: Env) -> None:
    try:
        env.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # with a database and a secret key elsewhere it holds the notices alone
        log.warning("the data folder can't be made", folder=str(env.data_dir), exc_info=True)


def vault_of(env: Env) -> Vault:
    """The vault that the environment names, see `open_vault`."""
    return open_vault(env.secret_key.get_secret_value(), env.data_dir)
