"""Leases, and what is remembered of them."""

import asyncio

import pytest
from sqlmodel import select

from grok_app.accounts import AccountRow, Accounts, NoAccountError, Refresher, Roster, Status
from grok_app.catalog import Pool
from grok_app.db import Database
from grok_app.settings import SettingsService
from grok_app.upstream import ErrorKind, Quota, UpstreamError
from tests.accounts.conftest import Rosters
from tests.accounts.grok import ScriptedGrok

BASIC = (Pool.BASIC,)


async def stored(database: Database) -> AccountRow:
    """The one stored account."""
    async with database.session() as session:
        return (await session.exec(select(AccountRow))).one()


async def fail(accounts: Accounts, error: BaseException, when: asyncio.Event | None = None) -> None:
    """A lease that ends in this error."""
    async with accounts.lease(BASIC, 1):
        if when:
            await when.wait()
        raise error


async def test_a_finished_answer_is_paid_for(accounts: Accounts, roster: Roster, database: Database) -> None:
    """A block that ends takes its cost from the quota, in the database too."""
    async with accounts.lease(BASIC, 4) as lease:
        assert lease.credential.get_secret_value() == "first"
        assert "first" not in repr(lease)
    await roster.save()
    row = await stored(database)
    assert (row.quota, row.use_count, row.status) == (76, 1, "active")


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), GeneratorExit(), KeyError()], ids=["cancel", "close", "bug"]
)
async def test_what_comes_to_nothing_costs_nothing(
    accounts: Accounts, roster: Roster, database: Database, error: BaseException
) -> None:
    """A request that is broken off gives everything back."""
    with pytest.raises(type(error)):
        await fail(accounts, error)
    await roster.save()
    assert (await stored(database)).quota == 80
    async with accounts.lease(BASIC, 80):
        pass


async def test_a_rate_limited_account_rests(
    accounts: Accounts, roster: Roster, database: Database, grok: ScriptedGrok
) -> None:
    """Nobody is asked who has had enough; the caller learns when somebody is free again, the operator why."""
    grok.quotas["first"] = UpstreamError(ErrorKind.UNAVAILABLE, "not told")
    with pytest.raises(UpstreamError):
        await fail(accounts, UpstreamError(ErrorKind.RATE_LIMITED, "slow down", retry_after_s=60))
    with pytest.raises(NoAccountError, match="No available tokens") as none_left:
        await fail(accounts, KeyError())
    assert 55 < (none_left.value.retry_after_s or 0) <= 60
    await roster.save()
    row = await stored(database)
    assert (row.status, row.cooling_reason) == (Status.COOLING, "slow down")


async def test_refused_credentials_expire_the_account(accounts: Accounts, roster: Roster, database: Database) -> None:
    """Five refusals in a row, by default."""
    for _ in range(5):
        with pytest.raises(UpstreamError):
            await fail(accounts, UpstreamError(ErrorKind.INVALID_CREDENTIAL, "bad-credentials", status=401))
    await roster.save()
    row = await stored(database)
    assert (row.status, row.fail_count, row.last_fail_reason) == ("expired", 5, "bad-credentials")


async def test_a_blocked_account_does_not_stand_in_the_way(accounts: Accounts, roster: Roster) -> None:
    """Once it is known to fail, an account is not the first to be asked, however much quota it has left."""
    await roster.add({Pool.BASIC: ["second"]})
    with pytest.raises(UpstreamError):
        async with accounts.lease(BASIC, 1) as blocked:
            raise UpstreamError(ErrorKind.BLOCKED_ACCOUNT, "blocked", status=403)
    for _ in range(20):
        async with accounts.lease(BASIC, 1) as lease:
            assert lease.account_id != blocked.account_id


async def test_an_id_is_never_given_twice(accounts: Accounts, roster: Roster) -> None:
    """A request that began with an account which was deleted meanwhile settles with nobody else."""

    async def lose_the_account() -> None:
        async with accounts.lease(BASIC, 4):
            await roster.delete(["first"])
            await roster.add({Pool.BASIC: ["another"]})
            raise UpstreamError(ErrorKind.RATE_LIMITED, "slow down")

    with pytest.raises(UpstreamError):
        await lose_the_account()
    [another] = roster.all()
    assert (another.credential.get_secret_value(), another.status) == ("another", Status.ACTIVE)
    async with accounts.lease(BASIC, 80):
        with pytest.raises(NoAccountError):
            await fail(accounts, KeyError())


async def test_a_request_waits_for_a_busy_account(accounts: Accounts, settings: SettingsService) -> None:
    """The ninth request at once on the only account is served when one of the eight has ended."""
    ready, end = asyncio.Queue[int](), asyncio.Event()

    async def hold() -> None:
        async with accounts.lease(BASIC, 1) as lease:
            ready.put_nowait(lease.account_id)
            await end.wait()

    held = [asyncio.create_task(hold()) for _ in range(settings.snapshot.token.max_inflight)]
    for _ in held:
        await ready.get()
    with pytest.raises(NoAccountError):
        await fail(accounts, KeyError())
    waiting = asyncio.create_task(wait_for_one(accounts))
    await asyncio.sleep(0)
    assert not waiting.done()
    end.set()
    assert await waiting == 1
    await asyncio.gather(*held)


async def wait_for_one(accounts: Accounts) -> int:
    """The id of an account, once one is free."""
    async with accounts.lease(BASIC, 1, wait_s=5) as lease:
        return lease.account_id


async def test_many_more_requests_than_places_are_all_served(accounts: Accounts, roster: Roster) -> None:
    """Five hundred at once over three accounts, of which one refuses: none fails that a good one could serve."""
    await roster.add({Pool.BASIC: [{"token": name, "quota": 1000} for name in ("second", "third")]})
    bad = roster.find("first")
    assert bad is not None

    async def serve() -> None:
        tried: set[int] = set()
        while True:
            try:
                async with accounts.lease(BASIC, 1, tried, wait_s=10) as lease:
                    tried.add(lease.account_id)
                    await asyncio.sleep(0)
                    if lease.account_id == bad.id:
                        raise UpstreamError(ErrorKind.INVALID_CREDENTIAL, "", status=401)  # noqa: TRY301 - the lease sees it
            except UpstreamError:
                assert tried == {bad.id}
            else:
                return

    await asyncio.gather(*(serve() for _ in range(500)))
    assert sum(account.use_count for account in roster.all()) == 500
    assert roster.pool.get(bad.id).use_count == 0  # type: ignore[union-attr] # it was there above


async def test_waiting_ends_when_nobody_is_worth_waiting_for(
    accounts: Accounts, roster: Roster, grok: ScriptedGrok
) -> None:
    """When the last busy account turns out to be limited, all who wait hear it at once, not when their time is up."""
    await roster.amend("first", {"quota": 1})
    grok.quotas["first"] = Quota(0, 7200)
    async with asyncio.timeout(5):
        end = asyncio.Event()
        limited = asyncio.create_task(fail(accounts, UpstreamError(ErrorKind.RATE_LIMITED, "slow down"), end))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(wait_for_one(accounts)) for _ in range(3)]
        await asyncio.sleep(0)
        end.set()
        outcomes = await asyncio.gather(limited, *waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamError] + [NoAccountError] * 3


async def test_when_every_account_rests_grok_is_asked_once(
    accounts: Accounts, roster: Roster, grok: ScriptedGrok
) -> None:
    """A request that would fail asks whether there is quota after all; the next one doesn't ask again so soon."""
    await roster.amend("first", {"status": Status.COOLING})
    async with accounts.lease(BASIC, 1):
        pass
    assert grok.asked == [("quota", "first")]
    await roster.amend("first", {"status": Status.COOLING})
    with pytest.raises(NoAccountError):
        await fail(accounts, KeyError())
    assert len(grok.asked) == 1


async def test_requests_share_one_asking(accounts: Accounts, roster: Roster, grok: ScriptedGrok) -> None:
    """However many requests find every account resting, Grok is asked for each account once, and all are served."""
    await roster.amend("first", {"status": Status.COOLING})
    await asyncio.gather(*(wait_for_one(accounts) for _ in range(20)))
    assert grok.asked == [("quota", "first")]


async def test_an_account_that_was_just_tried_is_not_asked_for(
    accounts: Accounts, roster: Roster, grok: ScriptedGrok
) -> None:
    """Its quota would not help this request."""
    await roster.amend("first", {"status": Status.COOLING})
    with pytest.raises(NoAccountError):
        async with accounts.lease(BASIC, 1, {account.id for account in roster.all()}):
            pass
    assert grok.asked == []


async def test_changes_are_saved_in_the_background(accounts: Accounts, database: Database) -> None:
    """Nobody has to ask for it."""
    async with accounts.lease(BASIC, 1):
        pass
    async with asyncio.timeout(5):
        while (await stored(database)).use_count == 0:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


async def test_accounts_survive_a_restart(
    rosters: Rosters, settings: SettingsService, grok: ScriptedGrok, database: Database
) -> None:
    """What was lent before the end is written at the end, and read at the next start."""
    async with rosters.open() as roster:
        await roster.add({Pool.SUPER: ["first"]})
        async with Accounts(roster, Refresher(roster, grok, settings)).lease((Pool.SUPER,), 4):
            pass
    assert (await stored(database)).quota == 136
    async with rosters.open() as again:
        assert [account.credential.get_secret_value() for account in again.all()] == ["first"]
