"""How long it takes to choose an account, as the pool grows."""

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from grok_app.accounts import Account, AccountPool, Status
from grok_app.catalog import DEFAULT_QUOTA, MODELS, Pool

SIZES: Final = (1_000, 10_000, 100_000)
_REPEATS: Final = 5
_POOLS: Final = MODELS["grok-4"].pools


@dataclass(frozen=True, slots=True)
class Choice:
    """One row: choosing in a pool of so many accounts."""

    accounts: int
    choose_us: float
    """Median time of one reserve and its release, microseconds."""
    build_ms: float
    """Time to put all accounts into the pool."""


def measure_choice(accounts: int, choices: int = 10_000) -> Choice:
    """Reserve and release, with 64 others out on lease meanwhile; accounts have every quota from 1 to the full one."""
    draw = random.Random(2)  # noqa: S311 - the same pool in every run
    rows = [_account(number, draw.randint(1, DEFAULT_QUOTA[Pool.BASIC])) for number in range(accounts)]
    began_at = time.perf_counter()
    pool = AccountPool(rows, lambda: 0, lambda: 8)
    build_s = time.perf_counter() - began_at
    for _ in range(64):
        pool.reserve(_POOLS, 1)
    times_s = [_time_choices(pool, _POOLS, choices) for _ in range(_REPEATS)]
    return Choice(accounts, statistics.median(times_s) / choices * 1e6, build_s * 1000)


def _time_choices(pool: AccountPool, pools: Sequence[Pool], choices: int) -> float:
    began_at = time.perf_counter()
    for _ in range(choices):
        account = pool.reserve(pools, 1)
        assert account is not None  # noqa: S101 - else nothing was measured
        pool.release(account.id, 1)
    return time.perf_counter() - began_at


def _account(number: int, quota: int) -> Account:
    return Account(number, Pool.BASIC, SecretStr(f"bench-{number}"), Status.ACTIVE, quota)
