"""Everything that pages and API call, as one object."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from grok_app.access import Access, Callers, Room, Sessions, Tickets, Visitors
from grok_app.accounts import AccountJobs, Accounts, Intake, OnlineFiles, Roster
from grok_app.chat import ChatService, ReasoningEffort
from grok_app.db import Database
from grok_app.env import Env
from grok_app.imagine import EditService, ImagesRequest, ImagineService
from grok_app.insight import Insight
from grok_app.logs import get_logger
from grok_app.media import MediaCache
from grok_app.requests import Requests
from grok_app.settings import SettingsService
from grok_app.shared import Shared, SharedAwayError
from grok_app.tasks import Tasks
from grok_app.video import VideoRequest, VideoService
from grok_app.voice import VoiceService

log = get_logger(__name__)
_CHECK_TIMEOUT_S: Final = 3.0
_YOUNG_OBJECTS: Final = 5_000
"""So many new ones, and the garbage collector looks at them."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that pages and API call."""

    env: Env
    database: Database
    shared: Shared | None
    """What other processes share with this one; None: it is alone."""
    settings: SettingsService
    access: Access
    sessions: Sessions
    callers: Callers
    visitors: Visitors
    room: Room
    """For chats, and for requests of pictures."""
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
    insight: Insight

    async def find_failures(self) -> list[str]:
        """Ask everything that requests need whether it answers; the names of what doesn't."""
        checks = {"database": self.database.ping}
        if self.shared:
            checks["redis"] = self.shared.ping
        return [name for name, check in checks.items() if not await _answers(check)]


_current: list[Services] = []
_checks: set[asyncio.Future[None]] = set()
"""Under way, and those that were given up and have not ended yet."""


def current() -> Services:
    """The services of this process.

    Raises:
        RuntimeError: They are not open.
    """
    if not _current:
        raise RuntimeError("the services are not open: open_services() runs around the server's life")
    return _current[-1]


@contextmanager
def serving_with(services: Services) -> Generator[None, None, None]:
    """Let `current` give these services while the block runs."""
    _current.append(services)
    # What lives as long as the process is no business of the collector's: first text at 16 streams, p99, 106 to
    # 47 ms (2026-11-23).
    gc.collect()
    gc.freeze()
    # At Python's 700 it looks anew at requests under way with every fourth one: 67 µs of 780 for a chat of
    # 100 tokens, 15 at this (2026-11-29).
    thresholds = gc.get_threshold()
    gc.set_threshold(_YOUNG_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        _current.remove(services)


async def _answers(check: Callable[[], Awaitable[None]]) -> bool:
    """Whether it does in time. Nobody waits for the end of one that doesn't: a silent database may not be left."""
    checking = asyncio.ensure_future(check())
    _checks.add(checking)
    checking.add_done_callback(_forget)
    done, _ = await asyncio.wait((checking,), timeout=_CHECK_TIMEOUT_S)
    if not done:
        checking.cancel()
        log.warning("readiness check failed", reason="no answer")
        return False
    try:
        await checking
    except (SQLAlchemyError, SharedAwayError, OSError, TimeoutError):
        log.warning("readiness check failed", exc_info=True)
        return False
    return True


def _forget(check: asyncio.Future[None]) -> None:
    _checks.discard(check)
    if not check.cancelled():
        check.exception()  # whoever waited for it knows; asyncio would log it where nobody did any more
