"""Generations of pictures leave nothing behind: the soak of the benchmarks, in short."""

from collections.abc import Generator
from pathlib import Path

import pytest

from benchmarks.processes import Served, start_drawing, start_gateway
from benchmarks.soak import SETTINGS, run_soak


@pytest.fixture
def servers(tmp_path: Path) -> Generator[tuple[Served, Served]]:
    """A sandbox and a gateway that nobody else uses."""
    with start_drawing(is_paced=False) as sandbox, start_gateway(tmp_path, sandbox, 100, SETTINGS) as gateway:
        yield sandbox, gateway


def test_generations_of_all_kinds_leave_nothing_behind(servers: tuple[Served, Served], tmp_path: Path) -> None:
    """Each ends as it should, and then no call is open at Grok, no file at the gateway, nothing half-written left."""
    sandbox, gateway = servers
    soaked = run_soak(gateway, sandbox, tmp_path, generations=44)

    assert soaked.surprises == 0, soaked.outcomes
    assert soaked.is_clean, soaked
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()
