"""Which accounts are refreshed by themselves, when, and by whom."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlmodel import col, select

from grok_app.accounts import TURN, TURN_S, Account, AccountJobs, AccountRow, Refresher, RefreshSchedule, Roster, Status
from grok_app.accounts.schedule import due_at_ms, in_order
from grok_app.catalog import Pool
from grok_app.db import Database, Turn
from grok_app.settings import SettingsService
from grok_app.tasks import Tasks
from grok_app.upstream import ErrorKind, UpstreamError
from tests.accounts.conftest import Rosters
from tests.accounts.grok import ScriptedGrok

HOURS = {Pool.BASIC: 8.0, Pool.SUPER: 2.0}
HOUR_MS = 3_600_000
NOW = 10_000
ACCOUNT = Account(1, Pool.BASIC, SecretStr("token"), Status.ACTIVE, 10, created_at_ms=1000)


@pytest.fixture
def make_schedule(
    roster: Roster, jobs: AccountJobs, settings: SettingsService, database: Database
) -> Callable[[], RefreshSchedule]:
    """Schedules of as many processes as a test wants."""
    return lambda: RefreshSchedule(roster, jobs, settings, Turn(database, TURN, TURN_S))


async def make_old(roster: Roster) -> None:
    """Let the roster hold accounts that were refreshed long ago, and one that is not due."""
    old = {"created_at": 1, "last_sync_at": 5}
    await roster.replace(
        {
            Pool.BASIC: [
                {"token": "long-ago", **old},
                {"token": "resting", **old, "last_sync_at": 9, "status": "cooling"},
                {"token": "expired", **old, "status": "expired"},
                {"token": "disabled", **old, "status": "disabled"},
                "just-made",
            ]
        }
    )


@given(st.integers(1, 10**6), st.sampled_from(Pool))
def test_an_interval_is_kept_to_a_tenth(account_id: int, pool: Pool) -> None:
    """Accounts that were refreshed together are due apart, but near their pool's interval after the last refresh."""
    account = replace(ACCOUNT, id=account_id, pool=pool, last_sync_at_ms=5000)
    assert abs(due_at_ms(account, HOURS, NOW) - 5000 - HOURS[pool] * HOUR_MS) <= 0.1 * HOURS[pool] * HOUR_MS


def test_accounts_are_due_apart() -> None:
    """No two of many at the same moment."""
    assert len({due_at_ms(replace(ACCOUNT, id=number), HOURS, NOW) for number in range(1000)}) == 1000


def test_what_was_refreshed_in_the_future_is_due() -> None:
    """The clock was wrong then, and is right again."""
    assert due_at_ms(replace(ACCOUNT, last_sync_at_ms=NOW + 24 * HOUR_MS), HOURS, NOW) == NOW


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.DISABLED])
def test_what_is_of_no_use_is_never_due(status: Status) -> None:
    """Nobody asks for it by himself."""
    assert due_at_ms(replace(ACCOUNT, status=status), HOURS, NOW) == float("inf")


def test_resting_accounts_come_first() -> None:
    """Then those that have waited longest."""
    fresh, stale = replace(ACCOUNT, id=2, last_sync_at_ms=9), replace(ACCOUNT, id=3, last_sync_at_ms=5)
    resting = replace(ACCOUNT, id=4, last_sync_at_ms=99, status=Status.COOLING)
    assert [account.id for account in in_order([fresh, stale, resting])] == [4, 3, 2]


async def test_what_is_due_is_refreshed(
    roster: Roster, grok: ScriptedGrok, make_schedule: Callable[[], RefreshSchedule]
) -> None:
    """The resting one first, and none that isn't due; then nothing is due for hours."""
    await make_old(roster)
    schedule = make_schedule()
    assert await schedule.refresh_due() == 2
    assert grok.asked == [("quota", "resting"), ("quota", "long-ago")]
    assert await schedule.refresh_due() == 0


async def test_one_that_can_not_be_refreshed_is_left_alone_for_a_while(
    roster: Roster, grok: ScriptedGrok, make_schedule: Callable[[], RefreshSchedule]
) -> None:
    """A Grok that is down is not asked for every account again each minute."""
    await make_old(roster)
    grok.quotas["resting"] = UpstreamError(ErrorKind.UNAVAILABLE, "down", status=503)
    schedule = make_schedule()
    assert [await schedule.refresh_due(), await schedule.refresh_due()] == [2, 0]
    await roster.amend("just-made", {"created_at": 1})
    for number in range(3):
        await roster.add({Pool.BASIC: [{"token": f"also-due-{number}", "created_at": 1}]})
        await schedule.refresh_due()
    assert grok.asked.count(("quota", "resting")) == 1


async def test_one_process_at_a_time_refreshes(
    roster: Roster, grok: ScriptedGrok, make_schedule: Callable[[], RefreshSchedule], database: Database
) -> None:
    """While another one has the turn nothing happens; when it gives it back, or dies, the next one does."""
    await make_old(roster)
    other = Turn(database, TURN, TURN_S)
    assert await other.take()
    assert await make_schedule().refresh_due() == 0
    assert grok.asked == []
    await other.give_back()
    assert await make_schedule().refresh_due() == 2


@pytest.fixture
async def another_process(
    rosters: Rosters, grok: ScriptedGrok, settings: SettingsService, database: Database, tasks: Tasks
) -> AsyncGenerator[RefreshSchedule, None]:
    """The schedule of another process, which saves what it has done at its end."""
    async with rosters.open() as other:
        jobs = AccountJobs(other, Refresher(other, grok, settings), grok, tasks, settings)
        yield RefreshSchedule(other, jobs, settings, Turn(database, TURN, 0))


@pytest.fixture
async def _old_accounts(roster: Roster) -> None:
    await make_old(roster)


@pytest.mark.usefixtures("_old_accounts")
async def test_what_another_process_has_refreshed_is_not_due(
    grok: ScriptedGrok,
    make_schedule: Callable[[], RefreshSchedule],
    another_process: RefreshSchedule,
    database: Database,
) -> None:
    """Whoever has the turn next begins with what is stored."""
    await another_process.refresh_due()
    async with asyncio.timeout(5):
        while await synced(database) < 2:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)
    assert await make_schedule().refresh_due() == 0
    assert len(grok.asked) == 2


async def synced(database: Database) -> int:
    """How many stored accounts were refreshed since they were made old."""
    async with database.session() as session:
        return len((await session.exec(select(AccountRow).where(col(AccountRow.last_sync_at) > 9))).all())


async def test_it_can_be_switched_off(
    roster: Roster, settings: SettingsService, make_schedule: Callable[[], RefreshSchedule]
) -> None:
    """`token.auto_refresh` decides each time anew."""
    await make_old(roster)
    await settings.store({"token.auto_refresh": False})
    assert await make_schedule().refresh_due() == 0
    await settings.store({"token.auto_refresh": True})
    assert await make_schedule().refresh_due() == 2
