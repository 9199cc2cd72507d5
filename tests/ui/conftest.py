"""Services that stand behind pages."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from grok_app import runtime
from tests.ui.crowd import Crowd, crowd


@pytest.fixture
async def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Crowd, None]:
    """What the accounts page asks; no accounts yet."""
    async with crowd(tmp_path) as services:
        monkeypatch.setattr(runtime.services, "_current", [services])
        yield services
