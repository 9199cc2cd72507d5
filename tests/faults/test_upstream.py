"""Grok fails, in every way and whatever it was asked for. What is promised then is in docs/reliability.md."""

import pytest

from tests.faults.leftovers import Leftovers
from tests.faults.play import play, serves
from tests.faults.stage import Stage
from tests.faults.table import Cell
from tests.faults.upstream import TABLES

CELLS = [pytest.param(cell, id=f"{table.name}-{cell.id}") for table in TABLES for cell in table.cells()]


@pytest.mark.parametrize("cell", CELLS)
async def test_a_fault_of_grok_is_told_and_leaves_nothing_behind(
    stage: Stage, leftovers: Leftovers, cell: Cell
) -> None:
    """Each client gets exactly what is promised; then all is free again, and the same account serves the next one."""
    leftovers.begin()
    assert set(await play(stage, cell.fault, cell.workload)) == {cell.promise}

    leftovers.check()
    stage.reinstate()
    assert await serves(stage, cell.fault.accounts)
