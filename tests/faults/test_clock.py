"""The machine's clock jumps by a day or back by an hour. What is promised then is in docs/reliability.md.

Leases, limits and tickets that processes share are timed by Redis; those of one process by a clock that never jumps.
"""

import os
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from tests.conftest import APP_KEY
from tests.contract.admin import is_in, sign_in, visitor
from tests.contract.wire import ask
from tests.faults import databases
from tests.faults.leftovers import Leftovers
from tests.faults.machine import CLOCK, DAY_S, HOUR_S, SHIFT, shifted
from tests.faults.play import play, serves
from tests.faults.stage import Stage, open_stage
from tests.faults.table import Cell
from tests.servers import Sandbox, eventually

jumps = pytest.mark.parametrize("jump_s", [DAY_S, -HOUR_S], ids=["a day ahead", "an hour back"])


@pytest.fixture(scope="module")
def stage(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """A gateway whose clock can be set."""
    folder = tmp_path_factory.mktemp("clock")
    (folder / SHIFT).write_text("0")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TEST_CLOCK_SHIFT", str(folder / SHIFT))
        patched.setenv("PYTHONPATH", str(Path(__file__).parent / "clock"), prepend=os.pathsep)
        with open_stage(folder, sandbox) as stage:
            yield stage


@pytest.fixture(scope="module")
def leftovers(stage: Stage) -> Leftovers:
    """Knows the gateway as it was before the first cell."""
    return Leftovers(stage)


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.id) for cell in CLOCK.cells()])
async def test_a_jump_is_not_noticed(stage: Stage, leftovers: Leftovers, cell: Cell) -> None:
    """While the clock is wrong, and when it is right again."""
    leftovers.begin()
    assert set(await play(stage, cell.fault, cell.workload)) == {cell.promise}

    leftovers.check()
    databases.check_nothing_is_lost(stage, stage.folder / "grok_app.db")
    assert await serves(stage)


@jumps
def test_the_clock_of_the_gateway_jumps(stage: Stage, jump_s: int) -> None:
    """What the other tests here stand on."""
    stage.hire(1)
    with shifted(jump_s)(stage):
        created = ask(stage.gateway, "Hello", stream=False).json()["created"]
    assert abs(created - time.time() - jump_s) < 60


@jumps
def test_what_is_under_way_goes_on(stage: Stage, jump_s: int) -> None:
    """An answer that has been waited for is no later for it."""
    stage.hire(1)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(ask, stage.gateway, "Hello @slow", stream=False)
        eventually(lambda: stage.sandbox.state()["open_streams"])
        with shifted(jump_s)(stage):
            assert asked.result().status_code == 200
    assert ask(stage.gateway, "Hello", stream=False).status_code == 200


@jumps
def test_no_account_rests_for_a_day(stage: Stage, jump_s: int) -> None:
    """One that had enough while the clock was wrong is asked again as soon as one that had enough at any time."""
    stage.hire(1)
    with shifted(jump_s)(stage):
        assert ask(stage.gateway, "Hello @429", stream=False).status_code == 429
    assert ask(stage.gateway, "Hello", stream=False).status_code == 200


def test_an_operator_stays_signed_in_until_the_time_is_over(stage: Stage) -> None:
    """An hour back costs nothing; a day ahead ends the session, and another one can be begun at once."""
    with visitor(stage.gateway) as browser:
        assert is_in_after(browser, shifted(-HOUR_S)(stage))
        assert not is_in_after(browser, shifted(DAY_S)(stage))
        assert is_in_after(browser, shifted(0)(stage))


def is_in_after(browser: httpx.Client, jump: AbstractContextManager[None]) -> bool:
    """Whether who signs in before a jump is signed in after it."""
    sign_in(browser, APP_KEY).raise_for_status()
    with jump:
        return is_in(browser)
