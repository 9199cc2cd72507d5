"""Settings changed by the operator, wherever from."""

import pytest

from grok_app.access import Access, Sessions, change_settings
from grok_app.db import Database, Vault
from grok_app.errors import AuthenticationError, InvalidRequestError
from grok_app.settings import open_settings


async def test_a_new_operators_key_ends_the_sessions_of_the_old_one(database: Database, vault: Vault) -> None:
    """At once, and for good; any other change, and one that is refused, ends none."""
    settings = await open_settings(database, vault, {})
    await settings.store({"app.app_key": "old"})
    sessions = Sessions(database, vault, settings, Access(settings))
    begun = await sessions.sign_in("old", "192.0.2.1")

    assert await change_settings(settings, sessions, {"app.stream": False, "grok": {"gone": 1}}) == ["grok.gone"]
    await change_settings(settings, sessions, {}, reset=["app.stream"])
    with pytest.raises(InvalidRequestError):
        await change_settings(settings, sessions, {"app.app_key": ""})
    assert settings.snapshot.app.stream is True
    assert (await sessions.check(begun.cookie)).cookie == begun.cookie

    for key in ("new", "old"):
        await change_settings(settings, sessions, {"app.app_key": key})
        with pytest.raises(AuthenticationError):
            await sessions.check(begun.cookie)
