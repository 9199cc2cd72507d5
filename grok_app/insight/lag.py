"""How late the event loop is: the one number that says whether a process has too much to do."""

import asyncio
from typing import Final

from grok_app.requests import Buckets

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LOOK_S: Final = 0.25


async def keep_measuring(lag: Buckets) -> None:
    """Sleep over and over until cancelled, and count by how much each sleep was too long."""
    loop = asyncio.get_running_loop()
    while True:
        due_at = loop.time() + _LOOK_S
        await asyncio.sleep(_LOOK_S)
        lag.add(max(0.0, loop.time() - due_at))
