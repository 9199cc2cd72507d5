"""The gateway's database, its disk or Redis fails. What is promised then is in docs/reliability.md."""

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import databases, machine, mounts
from tests.faults.leftovers import Leftovers
from tests.faults.play import play, serves
from tests.faults.stage import Stage, open_stage
from tests.faults.table import Cell
from tests.redis import redis_url
from tests.replicas.pair import Line, plugged
from tests.servers import Sandbox
from tests.storage import postgres_database

__all__ = ["redis_url"]
LIMIT_S = 20.0
"""An operator may wait for the database so long."""


@dataclass(kw_only=True)
class Wired(Stage):
    """A stage whose database and Redis are reached over cables."""

    database: Line
    redis: Line
    database_url: str
    """Without the cable."""


@pytest.fixture(scope="module")
def disks(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """A gateway with three small disks."""
    folder = tmp_path_factory.mktemp("disks")
    with ExitStack() as stack:
        for name in (machine.DATA, machine.MEDIA, machine.TEMP):
            stack.enter_context(mounts.disk(folder / name))
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("TMPDIR", str(folder / machine.TEMP))
            stage = stack.enter_context(open_stage(folder, sandbox, {"data_dir": str(folder / machine.DATA)}))
        (folder / machine.MEDIA / "image" / machine.STORED).write_bytes(machine.noise())
        yield stage


@pytest.fixture(scope="module")
def disk_leftovers(disks: Stage) -> Leftovers:
    """Knows the gateway as it was before the first cell."""
    return Leftovers(disks)


@pytest.fixture(scope="module")
def wired(sandbox: Sandbox, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Wired]:
    """A gateway on PostgreSQL and Redis."""
    with postgres_database() as url, plugged(url) as database, plugged(redis_url) as redis:
        kept_in = {"database_url": database.cable.url, "redis_url": redis.cable.url}
        with open_stage(tmp_path_factory.mktemp("wired"), sandbox, kept_in) as stage:
            yield Wired(**vars(stage), database=database, redis=redis, database_url=url)


@pytest.fixture(scope="module")
def wired_leftovers(wired: Wired) -> Leftovers:
    """Knows the gateway as it was before the first cell."""
    return Leftovers(wired)


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.id) for cell in machine.DISK.cells()])
async def test_a_fault_of_the_disk_is_told_and_costs_nothing(
    disks: Stage, disk_leftovers: Leftovers, cell: Cell
) -> None:
    """Each client gets exactly what is promised; then nothing is left behind or missing, and it goes on."""
    disk_leftovers.begin()
    assert set(await play(disks, cell.fault, cell.workload)) == {cell.promise}

    await check_is_well(disks, disk_leftovers, disks.folder / machine.DATA / "grok_app.db")
    assert mounts.used_bytes(disks.folder / machine.TEMP) == 0


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.id) for cell in machine.SERVERS.cells()])
async def test_a_fault_of_a_server_is_told_and_costs_nothing(
    wired: Wired, wired_leftovers: Leftovers, cell: Cell
) -> None:
    """The same."""
    wired_leftovers.begin()
    assert set(await play(wired, cell.fault, cell.workload, limit_s=LIMIT_S)) == {cell.promise}

    await check_is_well(wired, wired_leftovers, wired.database_url)


async def check_is_well(stage: Stage, leftovers: Leftovers, database: str | Path) -> None:
    """The cell has left nothing behind, nothing is lost, and its account serves the next one."""
    leftovers.check(crash="crashed")
    databases.check_nothing_is_lost(stage, database)
    stage.reinstate()
    assert await serves(stage)
