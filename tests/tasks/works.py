"""Work that tests hold in their hands."""

import asyncio
from collections.abc import Sequence
from typing import Any

from grok_app.tasks import Job


class HandWork:
    """Work whose items begin, and then wait until they are told what becomes of them."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.broken_off: list[str] = []
        self._ends: dict[str, asyncio.Future[object]] = {}

    async def __call__(self, item: str) -> object:
        """Begin, and wait."""
        self.begun.append(item)
        self._ends[item] = asyncio.get_running_loop().create_future()
        try:
            return await self._ends[item]
        except asyncio.CancelledError:
            self.broken_off.append(item)
            raise

    def finish(self, items: str, value: object = None) -> None:
        """Let these items succeed, in this order."""
        for item in items:
            self._ends[item].set_result(value)

    def fail(self, item: str, error: Exception) -> None:
        """Let this item fail."""
        self._ends[item].set_exception(error)

    def cut(self, item: str) -> None:
        """Cancel what this item waits for, not the item."""
        self._ends[item].cancel()


def job(work: Any, items: Sequence[Any] = "abcd", **changes: Any) -> Job[Any]:
    """A job of four items, two at once, in one batch; changed by `changes`."""
    return Job(
        **{"kind": "test", "items": items, "work": work, "name": str, "concurrent": 2, "batch_size": 4, **changes}
    )


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)
