"""Accounts that leave as text, in the two forms in which they may come back: see `arrivals`."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import orjson

from grok_app.accounts.account import Account
from grok_app.accounts.record import as_record
from grok_app.catalog import Pool


class Form(StrEnum):
    """How accounts are written down."""

    TXT = "txt"
    """A token per line, and nothing else."""
    JSON = "json"
    """By pool, with every field, as the admin API lists them."""


def write_accounts(accounts: Iterable[Account], form: Form) -> bytes:
    """These accounts as the content of a file, in the order given."""
    if form is Form.JSON:
        return as_json(by_pool(accounts))
    return "".join(f"{account.credential.get_secret_value()}\n" for account in accounts).encode()


def by_pool(accounts: Iterable[Account]) -> dict[Pool, list[dict[str, Any]]]:
    """A record of each account, by pool, in the order given; every pool is there."""
    pools: dict[Pool, list[dict[str, Any]]] = {pool: [] for pool in Pool}
    for account in accounts:
        pools[account.pool].append(as_record(account))
    return pools


def as_json(pools: Mapping[Pool, Sequence[Any]]) -> bytes:
    """Records by pool as the content of a token.json."""
    named = {pool.value: rows for pool, rows in pools.items()}
    return orjson.dumps(named, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
