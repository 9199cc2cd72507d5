"""Files on their way to Grok and from it: so many at once, each download into the cache."""

import hashlib
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from anyio import CapacityLimiter
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from grok_app.media.cache import MediaCache
from grok_app.media.entry import MOST_BYTES, Entry, Kind, is_name
from grok_app.media.places import place_among
from grok_app.media.together import together
from grok_app.settings import SettingsService
from grok_app.trace import noting_step
from grok_app.upstream import ErrorKind, MediaKind, MediaUpstream, Upload, Uploaded, UpstreamError, asset_id

_ATTEMPTS: Final = 2
"""Of a download that breaks off in its middle; until its first bytes are there, it is tried again anyway."""
_USUAL_STEMS: Final = ("image", "content")
"""Names that say nothing."""
_MOST_OWN_CHARS: Final = 60
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")
_USUAL: Final = {Kind.IMAGE: "jpg", Kind.VIDEO: "mp4"}


class Transfer:
    """Uploads and downloads.

    Args:
        upstream: The way to Grok.
        media: Keeps what comes from there.
        settings: How many at once.
    """

    def __init__(self, upstream: MediaUpstream, media: MediaCache, settings: SettingsService) -> None:
        self._upstream = upstream
        self._media = media
        self._settings = settings
        self._uploading = CapacityLimiter(1)
        self._downloading = CapacityLimiter(1)

    async def upload(self, credential: str, file: Upload) -> Uploaded:
        """Have Grok keep a file.

        Raises:
            UpstreamError: Grok didn't take it.
        """
        async with place_among(self._settings.snapshot.asset.upload_concurrent, self._uploading):
            with noting_step("upload to Grok"):
                return await self._upstream.upload(credential, file)

    async def keep(self, credential: str, kind: Kind, address: str) -> Entry:
        """Download a file of Grok's into the cache, unless it is there.

        Args:
            credential: Of the account that the file belongs to.
            kind: What it must be.
            address: Absolute or a path, see `grok_app.upstream.media`.

        Raises:
            UpstreamError: Grok didn't give it.
            OverloadedError: The disk is full.
        """
        name = _name_of(kind, address)
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS), retry=retry_if_exception(_broke_off), reraise=True
        ):
            with attempt, noting_step("download from Grok"):
                return await self._media.fetch(kind, name, lambda: self._pieces(credential, kind, address))
        raise AssertionError("tenacity raises before it runs out of attempts")

    async def _pieces(self, credential: str, kind: Kind, address: str) -> AsyncGenerator[bytes, None]:
        limit_bytes = MOST_BYTES[kind]
        async with (
            place_among(self._settings.snapshot.asset.download_concurrent, self._downloading),
            self._upstream.download(credential, address, kind=MediaKind(kind), limit_bytes=limit_bytes) as download,
            aclosing(download.pieces()) as pieces,
        ):
            async for piece in pieces:
                yield piece


class PerAccount:
    """Files of one request as the accounts know them: an upload belongs to the account that made it."""

    def __init__(self, transfer: Transfer, files: Sequence[Upload]) -> None:
        self._transfer = transfer
        self._files = files
        self._uploaded: dict[tuple[str, int], Uploaded] = {}

    async def of(self, credential: str) -> list[Uploaded]:
        """The files as this account's, each uploaded when it is first asked for.

        Raises:
            UpstreamError: Grok didn't take one of them.
        """
        if not self._files:
            return []
        return await together(self._of(credential, index) for index in range(len(self._files)))

    async def addresses(self, credential: str) -> tuple[str, ...]:
        """Where the files are at Grok. See `of`.

        Raises:
            UpstreamError: Grok didn't take one of them, or didn't say where it is.
        """
        addresses = tuple([uploaded.uri for uploaded in await self.of(credential)])
        if not all(addresses):
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok took the file and didn't say where it is")
        return addresses

    async def _of(self, credential: str, index: int) -> Uploaded:
        key = credential, index
        if key not in self._uploaded:
            self._uploaded[key] = await self._transfer.upload(credential, self._files[index])
        return self._uploaded[key]


def _broke_off(error: BaseException) -> bool:
    return isinstance(error, UpstreamError) and error.kind is ErrorKind.UNAVAILABLE and error.status is None


def _name_of(kind: Kind, address: str) -> str:
    """A name for a file of Grok's that can't be guessed: its id, or one made of its whole address, and its own name."""
    path = address.partition("?")[0]
    name = asset_id(path) or hashlib.sha256(address.encode()).hexdigest()
    stem, dot, extension = _UNFIT.sub("-", path.rpartition("/")[2])[-_MOST_OWN_CHARS:].partition(".")
    if stem not in _USUAL_STEMS:
        name += f"-{stem}"
    return f"{name}.{extension}" if is_name(kind, f"{name}{dot}{extension}") else f"{name}.{_USUAL[kind]}"
