"""One of several processes that want the same account at once: says what became of each of its callers."""

import asyncio
import sys
from pathlib import Path

from grok_app.accounts import Accounts, NoAccountError, Refresher, open_roster
from grok_app.catalog import Pool
from grok_app.db import Notice, Vault, open_database, upgrade
from grok_app.settings import open_settings
from grok_app.shared import open_shared
from grok_app.upstream import Quota
from tests.accounts.grok import ScriptedGrok

QUOTA = 100


async def hammer(database_url: str, redis_url: str, name: str, folder: str, task: str) -> None:
    """Make the account, or use it so many times."""
    vault = Vault(["a key for tests only"])
    async with open_database(database_url) as database, open_shared(redis_url, name) as shared:
        settings = await open_settings(database, vault, {})
        async with open_roster(database, vault, settings, Notice(Path(folder) / "notice"), shared) as roster:
            if task == "prepare":
                await roster.add({Pool.BASIC: [{"token": "only", "quota": QUOTA}]})
                return
            grok = ScriptedGrok()
            grok.quotas["only"] = Quota(0, 7200)
            accounts = Accounts(roster, Refresher(roster, grok, settings))
            await asyncio.gather(*(use(accounts) for _ in range(int(task))))


async def use(accounts: Accounts) -> None:
    """One caller."""
    try:
        async with accounts.lease((Pool.BASIC,), 1, wait_s=30):
            await asyncio.sleep(0.005)
    except NoAccountError:
        print("refused")  # noqa: T201 - the test reads it
    else:
        print("served")  # noqa: T201 - likewise


if __name__ == "__main__":
    if sys.argv[-1] == "prepare":
        upgrade(sys.argv[1])
    asyncio.run(hammer(*sys.argv[1:]))
