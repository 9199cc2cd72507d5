"""Everything that is sealed, sealed anew with the key in force."""

from collections.abc import Callable
from typing import Final

from grok_app.access import end_all_sessions
from grok_app.accounts import SEALED as ACCOUNTS
from grok_app.db import Resealed, Vault, open_database, reseal
from grok_app.requests import SEALED as CONTENTS
from grok_app.settings import SEALED as SETTINGS

_ALL: Final = (SETTINGS, ACCOUNTS, CONTENTS)


async def reseal_all(database_url: str, vault: Vault, say: Callable[[str], None]) -> list[Resealed]:
    """Seal accounts, secret settings and contents of requests anew; sessions of the console end.

    Args:
        database_url: A database whose schema is up to date.
        vault: Its first key seals, all of them open.
        say: Is told how far it is, in words.
    """
    async with open_database(database_url) as database:
        results = [await reseal(database, vault, sealed, say) for sealed in _ALL]
        await end_all_sessions(database)  # their cookies are signed with the former key
    return results
