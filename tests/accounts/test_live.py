"""Accounts that several processes lend: each rosters' own copy, and a Redis between them."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from sqlmodel import select

from grok_app.accounts import AccountRow, Accounts, NoAccountError, Refresher, Roster, Status, live, open_roster
from grok_app.accounts.repository import AccountRepository
from grok_app.catalog import Cost, Pool
from grok_app.db import Database, Notice, Vault
from grok_app.settings import SettingsService
from grok_app.shared import Shared, SharedAwayError, open_shared
from grok_app.upstream import ErrorKind, Quota, UpstreamError
from tests.accounts.grok import ScriptedGrok
from tests.redis import Cable, forget

BASIC = (Pool.BASIC,)
ROOT = Path(__file__).parents[2]
RATE_LIMITED = UpstreamError(ErrorKind.RATE_LIMITED, "slow down", retry_after_s=60)


class Process:
    """What one process of an installation has of the accounts."""

    def __init__(self, roster: Roster, accounts: Accounts, shared: Shared) -> None:
        self.roster, self.accounts, self.shared = roster, accounts, shared

    def quota(self) -> int:
        """Of the only account."""
        [account] = self.roster.all()
        return account.quota

    def count(self) -> int:
        """How many answers of the only account were counted."""
        [account] = self.roster.all()
        return account.use_count

    async def use(self, cost: int = 1) -> None:
        """One answer."""
        async with self.accounts.lease(BASIC, cost):
            pass


Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(  # noqa: PLR0913, PLR0917 - what a process is made of
    database: Database, vault: Vault, settings: SettingsService, tmp_path: Path, redis_url: str, grok: ScriptedGrok
) -> AsyncGenerator[Start]:
    """Starts one more process; the installation begins with one basic account, `first`, of quota 80."""
    name = uuid4().hex
    async with AsyncExitStack() as stack:

        async def begin(url: str = redis_url) -> Process:
            shared = await stack.enter_async_context(open_shared(url, name))
            assert shared
            notice = Notice(tmp_path / "accounts.notice")
            roster = await stack.enter_async_context(open_roster(database, vault, settings, notice, shared))
            await roster.add({Pool.BASIC: ["first"]})
            return Process(roster, Accounts(roster, Refresher(roster, grok, settings)), shared)

        yield begin
    forget(redis_url, name)


async def until(is_so: Callable[[], bool], within_s: float = 5) -> None:
    """Wait for what another process's doing brings about."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - another process has no event of ours
            await asyncio.sleep(0.01)


async def test_what_one_uses_the_other_has_not(start: Start) -> None:
    """Quota and counters are one."""
    one, other = await start(), await start()
    await one.use(30)

    await until(lambda: (other.quota(), other.count()) == (50, 1))
    await other.use(50)
    await until(lambda: (one.quota(), one.count()) == (0, 2))
    assert one.roster.all()[0].status is Status.COOLING


@pytest.mark.parametrize("cost", Cost)
async def test_models_cost_what_they_say(start: Start, cost: Cost) -> None:
    """Their costs are an enumeration, which Redis would be told by its name."""
    one, other = await start(), await start()
    async with one.accounts.lease(BASIC, cost):
        assert not one.shared.is_away
        await other.use()
    await until(lambda: (other.quota(), other.count()) == (79 - cost, 2))


async def test_what_is_under_way_counts_everywhere_at_once(start: Start, grok: ScriptedGrok) -> None:
    """The last of the quota is lent once, though the other has not heard of it yet."""
    grok.quotas["first"] = Quota(0, 7200)
    one, other = await start(), await start()
    async with one.accounts.lease(BASIC, 80):
        with pytest.raises(NoAccountError):
            await other.use()


async def test_requests_at_once_are_limited_over_all(start: Start, settings: SettingsService) -> None:
    """`token.max_inflight` is of the account, not of the process; who waits is served when another process's ends."""
    await settings.store({"token.max_inflight": 1})
    one, other = await start(), await start()
    async with one.accounts.lease(BASIC, 1):
        waiting = asyncio.create_task(wait_for_one(other))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    await waiting


async def wait_for_one(process: Process) -> None:
    """A request that waits for a busy account."""
    async with process.accounts.lease(BASIC, 1, wait_s=5):
        pass


async def test_a_rest_is_one_for_all(start: Start, grok: ScriptedGrok) -> None:
    """What one process was refused, the other doesn't try; when the rest is over, both may."""
    grok.quotas["first"] = UpstreamError(ErrorKind.UNAVAILABLE, "not told")
    one, other = await start(), await start()
    with pytest.raises(UpstreamError):
        async with one.accounts.lease(BASIC, 1):
            raise UpstreamError(ErrorKind.RATE_LIMITED, "slow down", retry_after_s=1)
    await until(lambda: other.roster.pool.next_free_ms(BASIC) is not None)
    with pytest.raises(NoAccountError):
        await other.use()
    await until(lambda: other.roster.all()[0].status is Status.ACTIVE)
    await other.use()
    await one.use()
    await until(lambda: one.count() == other.count() == 2)


async def test_both_change_an_account_at_once(start: Start) -> None:
    """Nothing that was counted is lost, in whichever order it arrives."""
    processes = [await start() for _ in range(3)]

    await asyncio.gather(*(wait_for_one(process) for process in processes for _ in range(20)))

    await until(lambda: {(process.quota(), process.count()) for process in processes} == {(20, 60)})


async def test_an_operators_edit_meets_requests(start: Start) -> None:
    """A quota that is set on one process is the quota of all, less what was used since."""
    one, other = await start(), await start()
    await other.use()
    await one.roster.amend("first", {"quota": 40, "note": "mine"})
    await until(lambda: other.quota() == 40)
    await other.use()
    await until(lambda: one.quota() == 39)
    await other.roster.catch_up()
    assert (other.roster.all()[0].note, other.quota(), other.count()) == ("mine", 39, 2)


async def test_a_dead_processs_leases_end_by_themselves(
    start: Start, monkeypatch: pytest.MonkeyPatch, settings: SettingsService
) -> None:
    """After their time limit, when nobody renews them."""
    monkeypatch.setattr(live, "LEASE_MS", 500)
    await settings.store({"token.max_inflight": 1})
    one, other = await start(), await start()
    account = one.roster.pool.reserve(BASIC, 1)
    assert account
    assert await one.roster.claim(account, 1) is not None
    await until(lambda: other.roster.pool.has_busy(BASIC))

    await wait_for_one(other)


async def test_leases_are_renewed(start: Start, monkeypatch: pytest.MonkeyPatch, settings: SettingsService) -> None:
    """A long stream keeps its account for as long as it lasts."""
    monkeypatch.setattr(live, "LEASE_MS", 500)
    monkeypatch.setattr(live, "_RENEW_S", 0.1)
    await settings.store({"token.max_inflight": 1})
    one, other = await start(), await start()
    async with one.accounts.lease(BASIC, 1):
        await asyncio.sleep(1)
        with pytest.raises(NoAccountError):
            await other.use()


async def test_with_redis_away_each_goes_on_and_nothing_is_lost(start: Start, redis_url: str) -> None:
    """What was counted meanwhile is told when Redis is back."""
    cable = Cable(redis_url)
    await cable.plug()
    one, other = await start(cable.url), await start()
    await one.use()
    await cable.cut()
    for _ in range(5):
        await one.use()
        await other.use()
    assert one.shared.is_away
    assert one.count() == 6
    await cable.plug()
    await until(lambda: one.count() == other.count() == 11)
    assert one.quota() == other.quota() == 69
    await cable.cut()


async def test_others_leases_do_not_outlive_redis(start: Start, redis_url: str, settings: SettingsService) -> None:
    """With Redis away nobody says when they end, so that only our own count."""
    await settings.store({"token.max_inflight": 1})
    cable = Cable(redis_url)
    await cable.plug()
    one, other = await start(cable.url), await start()
    async with other.accounts.lease(BASIC, 1):
        await until(lambda: one.roster.pool.has_busy(BASIC))
        await cable.cut()
        await wait_for_one(one)
    with pytest.raises(SharedAwayError):
        await one.shared.ping()


async def test_a_redis_that_lost_everything_learns_it_anew(start: Start, redis_url: str) -> None:
    """What is known here is told as accounts are asked; leases within a moment of the connection."""
    one, other = await start(), await start()
    await one.use(10)
    await until(lambda: other.quota() == 70)
    async with one.accounts.lease(BASIC, 60):
        forget(redis_url, one.shared.name)
        await other.use(3)
    await until(lambda: one.quota() == other.quota() == 7)
    await one.use(2)
    await until(lambda: other.quota() == 5)


async def test_a_new_process_knows_what_was_not_written(
    start: Start, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    """What a killed process had told Redis, and not yet the database, is found and written by the next one."""
    with monkeypatch.context() as patched:
        patched.setattr(AccountRepository, "save", _fail)
        one, third = await start(), await start()
        await one.use(7)
        await until(lambda: third.quota() == 73)  # so it is told, and one could be killed
        assert await stored_quota(database) == 80
    one.roster.pool.remove(one.roster.all()[0].id)  # it writes nothing any more
    other = await start()
    assert other.quota() == 73
    await other.roster.save()
    assert await stored_quota(database) == 73


async def _fail(*_: object) -> None:
    raise OSError("the database is away")


async def stored_quota(database: Database) -> int:
    """As the database has it."""
    async with database.session() as session:
        return (await session.exec(select(AccountRow))).one().quota


def test_processes_that_hammer_one_account_use_no_quota_twice(
    tmp_path: Path, redis_url: str, database_url: str
) -> None:
    """Six processes with thirty callers each want 180 answers of an account that has 100."""
    name = uuid4().hex
    command = [sys.executable, "-m", "tests.accounts.hammer", database_url, redis_url, name, str(tmp_path)]
    subprocess.run([*command, "prepare"], check=True, cwd=ROOT)
    crowd = [subprocess.Popen([*command, "30"], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(6)]
    results = Counter[str]()
    for process in crowd:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        results.update(output.splitlines())
    forget(redis_url, name)

    assert (results["served"], results["refused"]) == (100, 80)
