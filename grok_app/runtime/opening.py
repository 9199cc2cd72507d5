"""How the services come to be, in one order, and go in the opposite one."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from grok_app.access import Access, Room, Sessions, open_callers, open_tickets, open_visitors
from grok_app.accounts import (
    TURN,
    TURN_S,
    AccountJobs,
    Accounts,
    Intake,
    OnlineFiles,
    RefreshSchedule,
    open_refresher,
)
from grok_app.chat import ChatService
from grok_app.db import Turn, Vault
from grok_app.env import Env, current_env
from grok_app.imagine import EditService, ImagineService
from grok_app.insight import Measured, open_insight, open_tracing
from grok_app.logs import configure_logging, get_logger
from grok_app.media import Files, Sources, Transfer, open_media, open_remote_files
from grok_app.reach import grokweb_options
from grok_app.requests import open_requests
from grok_app.runtime.services import Services, serving_with
from grok_app.runtime.storage import Storage, open_storage, vault_of
from grok_app.runtime.wishes import Drawings, Films
from grok_app.settings import SettingsService
from grok_app.tasks import open_tasks
from grok_app.upstream import open_grokweb
from grok_app.video import VideoService
from grok_app.voice import VoiceService

log = get_logger(__name__)
_WAITING_DRAWINGS: Final = 32
_WAITING_FILMS: Final = 4
"""Of one address; a film may have a picture of 50 MB."""
_WAIT_S: Final = 5.0
"""For room among the chats: a caller who comes again does no worse."""


@asynccontextmanager
async def open_services() -> AsyncGenerator[Services, None]:
    """Open the services for this process, as its environment says. The schema must be up to date.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    env, overrides = current_env()
    configure_logging(env.log_level, as_json=env.log_json)
    vault = vault_of(env)
    async with open_storage(env, vault, overrides) as storage, _open_work(storage, env, vault) as services:
        settings = services.settings
        schedule = RefreshSchedule(services.roster, services.jobs, settings, Turn(services.database, TURN, TURN_S))
        async with _in_background(schedule.run()), _in_background(_keep_up(settings)):
            with serving_with(services):
                yield services


@asynccontextmanager
async def _open_work(storage: Storage, env: Env, vault: Vault) -> AsyncGenerator[Services, None]:
    """What works on what is stored."""
    database, settings, roster = storage.database, storage.settings, storage.roster
    async with (
        open_tracing() as export,
        open_requests(database, vault, settings, export) as requests,
        open_grokweb(lambda: grokweb_options(settings.snapshot)) as upstream,
        open_refresher(roster, upstream, settings) as refresher,
        open_tasks(storage.shared, vault) as tasks,
        open_media(env.data_dir / "media", settings) as media,
        open_remote_files() as remote,
        open_callers(settings, vault, storage.shared) as callers,
        open_visitors(settings, storage.shared) as visitors,
        open_tickets(storage.shared, "drawings", Drawings(), most_per_address=_WAITING_DRAWINGS) as drawings,
        open_tickets(storage.shared, "films", Films(), most_per_address=_WAITING_FILMS) as films,
        open_insight(Measured(env, settings, requests, roster, media, tasks, storage.shared)) as insight,
    ):
        access = Access(settings, shared=storage.shared)
        accounts = Accounts(roster, refresher)
        files = Files(media, Sources(media, remote, settings), Transfer(upstream, media, settings))
        yield Services(
            env=env,
            database=database,
            shared=storage.shared,
            settings=settings,
            access=access,
            sessions=Sessions(database, vault, settings, access),
            callers=callers,
            visitors=visitors,
            room=Room(lambda: settings.snapshot.chat.concurrent, wait_s=_WAIT_S, what="chats"),
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
            insight=insight,
        )


async def _keep_up(settings: SettingsService) -> None:
    """For whoever reads settings without a request, a page's open socket say; requests look for themselves."""
    while True:
        await asyncio.sleep(1)
        try:
            await settings.catch_up()
        except Exception:  # one bad look must not end all later ones
            log.exception("settings could not be read, trying again")


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None, None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
