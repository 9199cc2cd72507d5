"""The services of a process, and what prepares them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from grok_app import runtime
from grok_app.accounts import Status
from grok_app.catalog import Pool
from grok_app.env import current_env
from grok_app.upstream import ErrorKind, UpstreamError

pytestmark = pytest.mark.usefixtures("restore_logging")


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A data folder of its own, read from the environment as a process would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROK_APP_DATA_DIR", str(tmp_path))
    current_env.cache_clear()
    yield
    current_env.cache_clear()


def test_keys_are_made_and_told_once() -> None:
    """The first start makes three keys, the second none; a demo tells the ones in force; none shows in a repr."""
    made = runtime.prepare_storage()
    assert made.app_key
    assert runtime.prepare_storage() == runtime.Keys()
    assert runtime.seed_demo({}) == made
    assert made.app_key not in repr(made)


def test_a_demo_starts_with_fresh_accounts() -> None:
    """What an earlier demo wore out serves again; other accounts stay as they are."""
    runtime.prepare_storage()
    runtime.seed_demo({Pool.BASIC: ["demo-one", "other-one"]})
    asyncio.run(_wear_out())
    runtime.seed_demo({Pool.BASIC: ["demo-one"]})
    assert asyncio.run(_states()) == {"demo-one": Status.ACTIVE, "other-one": Status.COOLING}


async def _wear_out() -> None:
    async with runtime.open_services() as services:
        for _ in range(2):
            with pytest.raises(UpstreamError):
                async with services.accounts.lease((Pool.BASIC,), 1):
                    raise UpstreamError(ErrorKind.RATE_LIMITED, "slow down")


async def _states() -> dict[str, Status]:
    async with runtime.open_services() as services:
        return {account.credential.get_secret_value(): account.status for account in services.roster.all()}
