"""What Grok keeps, as account tests need it: listed and deleted, or refused as the test says."""

import asyncio
from collections.abc import AsyncGenerator

from grok_app.upstream import Asset, UpstreamError


class ScriptedFiles:
    """Keeps files by credential.

    Attributes:
        kept: The ids of each account's files, as the list has them; a file may stand there twice.
        size_bytes: What the list says of each file.
        list_failures: Why an account's list breaks off after its files, by credential.
        delete_failures: Why a file is not deleted, by its id.
        asked: Every call that was answered, `("listed", "<credential>")` or `("delete", "<id>")`, in order.
        may_delete: Deletions wait for it; set from the start.
        under_way: How many deletions wait or run, and the most there have been.
    """

    def __init__(self) -> None:
        self.kept: dict[str, list[str]] = {}
        self.size_bytes = 0
        self.list_failures: dict[str, UpstreamError] = {}
        self.delete_failures: dict[str, UpstreamError] = {}
        self.asked: list[tuple[str, str]] = []
        self.may_delete = asyncio.Event()
        self.may_delete.set()
        self.under_way = self.most_under_way = 0

    async def assets(self, credential: str) -> AsyncGenerator[Asset, None]:
        """List them, one after the other."""
        for asset_id in self.kept.get(credential, []):
            await asyncio.sleep(0)
            yield Asset(asset_id, "", self.size_bytes)
        if failure := self.list_failures.get(credential):
            raise failure
        self.asked.append(("listed", credential))

    async def delete_asset(self, credential: str, asset_id: str) -> None:
        """Forget one, when deletions may go on."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            await self.may_delete.wait()
        finally:
            self.under_way -= 1
        self.asked.append(("delete", asset_id))
        if failure := self.delete_failures.get(asset_id):
            raise failure
        self.kept[credential].remove(asset_id)
