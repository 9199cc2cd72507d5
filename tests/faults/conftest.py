"""The stage of the faults of Grok, shared by their cells."""

from collections.abc import Generator

import pytest

from tests.faults.leftovers import Leftovers
from tests.faults.stage import Stage, open_stage
from tests.servers import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    """One for the cells of a module alone: a call that is open there is theirs."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.http.close()
    sandbox.process.stop()


@pytest.fixture(scope="module")
def stage(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """One gateway for all cells of a module; each cell has accounts of its own."""
    with open_stage(tmp_path_factory.mktemp("faults"), sandbox) as stage:
        yield stage


@pytest.fixture(scope="module")
def leftovers(stage: Stage) -> Leftovers:
    """Knows the gateway as it was before the first cell."""
    return Leftovers(stage)
