"""A crew that draws."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.crew import Crew, open_crew


@pytest.fixture
async def crew(tmp_path: Path) -> AsyncGenerator[Crew, None]:
    """Nobody is hired yet."""
    async with open_crew(tmp_path) as opened:
        yield opened
