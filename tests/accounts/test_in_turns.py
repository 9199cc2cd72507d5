"""Long work that lets others have their turn."""

import asyncio
from typing import Any

import pytest

from grok_app.accounts import Roster, in_turns
from grok_app.accounts.account import succeed
from grok_app.catalog import Pool
from grok_app.db import now_ms


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (2, [2]), (5, [2, 2, 1])])
async def test_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]) -> None:
    """Whatever the last part is."""
    monkeypatch.setattr(in_turns, "TURN", 2)
    parts = [part async for part in in_turns.in_turns(range(count))]
    assert [len(part) for part in parts] == sizes
    assert [item for part in parts for item in part] == list(range(count))


@pytest.mark.parametrize("work", ["add", "disable", "remove", "catch_up"])
async def test_changing_many_accounts_keeps_nobody_waiting(
    roster: Roster, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """Memory follows the database a part at a time, and the loop goes round in between."""
    monkeypatch.setattr(in_turns, "TURN", 10)
    rounds, seen = 0, set[int]()

    def go_round() -> None:
        nonlocal rounds
        rounds += 1
        asyncio.get_running_loop().call_soon(go_round)

    def noting(name: str) -> None:
        doing = getattr(roster.pool, name)

        def note(given: Any) -> Any:
            seen.add(rounds)
            return doing(given)

        monkeypatch.setattr(roster.pool, name, note)

    tokens = [f"token-{number}" for number in range(100)]
    if work != "add":
        await roster.add({Pool.BASIC: tokens})
    ids = [account.id for account in roster.all()]
    noting({"add": "put", "disable": "put", "remove": "remove", "catch_up": "get"}[work])
    asyncio.get_running_loop().call_soon(go_round)
    match work:
        case "add":
            await roster.add({Pool.BASIC: tokens})
        case "disable":
            await roster.disable(ids)
        case "remove":
            await roster.remove(ids)
        case "catch_up":
            await roster.catch_up()
    assert len(seen) >= 10


async def test_what_requests_do_between_two_turns_is_not_lost(roster: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    """They count on the account as it is, and the operator's wish is added to that."""
    monkeypatch.setattr(in_turns, "TURN", 1)
    await roster.add({Pool.BASIC: [f"token-{number}" for number in range(20)]})
    ids, answers = [account.id for account in roster.all()], 0
    disabling = asyncio.create_task(roster.disable(ids))
    while not disabling.done():
        answers += 1
        for account in list(roster.pool):
            roster.keep(account.id, lambda it: succeed(it, 0, now_ms()))
        await asyncio.sleep(0)
    await roster.save()
    await roster.catch_up()
    assert answers > 20
    assert {(account.status, account.use_count) for account in roster.all()} == {("disabled", answers)}
