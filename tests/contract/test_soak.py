"""A mixed load leaves nothing behind: `make soak`, in short."""

from pathlib import Path

import pytest

from benchmarks.endurance import endure, print_endurance, servers

LOAD_S = 150.0
MOST_S = 420
"""Starting and coming to rest included, on a machine that has other things to do."""


@pytest.mark.timeout(MOST_S)
def test_a_mixed_load_leaves_the_gateway_as_it_was(tmp_path: Path) -> None:
    """Errands end as they should; memory, files, tasks, leases and calls are as before."""
    with servers(tmp_path) as (sandbox, gateway):
        result = endure(gateway, sandbox, tmp_path, LOAD_S)
    print_endurance(result)
    assert [fault for fault in result.faults if "as long" not in fault] == []  # how fast anything is, is not tested
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()
