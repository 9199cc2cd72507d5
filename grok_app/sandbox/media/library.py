"""The files of all accounts, as many as a budget of bytes allows."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from grok_app.sandbox.accounts import Account

KEPT_BYTES: Final = 256 * 1024 * 1024
KEPT_ASSETS: Final = 20_000
KEPT_POSTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class File:
    """Something to download."""

    content: bytes
    content_type: str


@dataclass(slots=True)
class Asset:
    """What an account uploaded or had made: one thing in the list, with one or more files."""

    owner: str
    """The account's token."""
    name: str
    files: dict[str, File]
    """By path, without a leading slash; the first is the one that the list describes."""
    id: str = field(default_factory=lambda: str(uuid4()))
    created_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(len(file.content) for file in self.files.values())

    def as_json(self) -> dict[str, Any]:
        """How `/rest/assets` shows it. Source of the names: protocol notes, section 3.5."""
        path, file = next(iter(self.files.items()))
        return {
            "assetId": self.id,
            "fileName": self.name,
            "filePath": path,
            "contentType": file.content_type,
            "fileSize": len(file.content),
            "createdAt": self.created_ms,
        }


class Library:
    """Assets by id and by path, the least recently used forgotten beyond the budget and beyond `KEPT_ASSETS`.

    Args:
        limit_bytes: The budget. One asset that is larger on its own is kept until the next one comes.
    """

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._assets: OrderedDict[str, Asset] = OrderedDict()
        self._by_path: dict[str, Asset] = {}
        self._posts: OrderedDict[str, str | None] = OrderedDict()
        self.size_bytes = 0

    def add(self, asset: Asset) -> None:
        """Keep an asset."""
        self._drop(asset.id)
        self._assets[asset.id] = asset
        self._by_path.update(dict.fromkeys(asset.files, asset))
        self.size_bytes += asset.size_bytes
        while len(self._assets) > 1 and self._is_full():
            self._drop(next(iter(self._assets)))

    def add_file(self, asset: Asset, path: str, file: File) -> None:
        """Give a kept asset one more file."""
        files = {**asset.files, path: file}
        self._drop(asset.id)
        asset.files = files
        self.add(asset)

    def find(self, asset_id: str, owner: Account) -> Asset | None:
        """The account's asset of that id."""
        asset = self._assets.get(asset_id)
        return asset if asset and asset.owner == owner.token else None

    def file(self, path: str) -> File | None:
        """What is stored under a path, whoever owns it."""
        asset = self._by_path.get(path)
        if asset is None:
            return None
        self._assets.move_to_end(asset.id)
        return asset.files[path]

    def delete(self, asset_id: str, owner: Account) -> bool:
        """Forget the account's asset of that id; False if there is none."""
        return self.find(asset_id, owner) is not None and self._drop(asset_id)

    def of(self, owner: Account) -> list[Asset]:
        """The account's assets, the most recently used first."""
        return [asset for asset in reversed(self._assets.values()) if asset.owner == owner.token]

    def count(self) -> int:
        """How many assets there are."""
        return len(self._assets)

    def add_post(self, media_path: str | None) -> str:
        """Remember a media post, of the latest `KEPT_POSTS`, with the path of its picture; returns the new id."""
        post_id = str(uuid4())
        self._posts[post_id] = media_path
        if len(self._posts) > KEPT_POSTS:
            self._posts.popitem(last=False)
        return post_id

    def has_post(self, post_id: str) -> bool:
        """Whether `add_post` gave out that id."""
        return post_id in self._posts

    def post_picture(self, post_id: str) -> File | None:
        """The picture of a post, None if it has none, or no longer."""
        path = self._posts.get(post_id)
        return self.file(path) if path else None

    def forget(self) -> None:
        """Drop everything."""
        self._assets.clear()
        self._by_path.clear()
        self._posts.clear()
        self.size_bytes = 0

    def _is_full(self) -> bool:
        return self.size_bytes > self._limit_bytes or len(self._assets) > KEPT_ASSETS

    def _drop(self, asset_id: str) -> bool:
        asset = self._assets.pop(asset_id, None)
        if asset is None:
            return False
        for path in asset.files:
            del self._by_path[path]
        self.size_bytes -= asset.size_bytes
        return True
