"""Files that callers give with a request: content or an address, checked and opened before Grok is asked."""

import asyncio
import mimetypes
import os
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO, Final
from urllib.parse import unquote

from anyio import CapacityLimiter

from grok_app.errors import InvalidRequestError, NotFoundError
from grok_app.media.cache import MediaCache
from grok_app.media.entry import Entry, Kind, content_type
from grok_app.media.full import storing
from grok_app.media.places import place_among
from grok_app.media.remote import RemoteFiles
from grok_app.media.sniff import HEAD_BYTES, picture_type
from grok_app.media.together import together
from grok_app.settings import SettingsService
from grok_app.trace import noting_step
from grok_app.upstream import Upload

MOST_BYTES: Final = 50 << 20
"""No file that is given is larger."""
IN_MEMORY_BYTES: Final = 1 << 20
"""Of a fetched file; what is larger waits on the disk."""
_MOST_FETCHES: Final = 4
"""At once, of one request."""
_MOST_FETCHED_BYTES: Final = 512 << 20
"""Of one request; those under way may come on top."""
_OWN_PATH: Final = re.compile(r"(?:/grok)?/v1/files/(image|video)/([^?#]+)")
_KNOWN_TYPES: Final = mimetypes.MimeTypes()
"""Python's own table, whatever the system knows beside."""
_UNKNOWN_TYPE: Final = "application/octet-stream"
_TYPE: Final = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
_EDITABLE: Final = ("image/png", "image/jpeg", "image/webp")
_MOST_NAME_CHARS: Final = 200
_TOO_LARGE: Final = "file_too_large"
_UNWANTED: Final = re.compile(r'[\x00-\x1f\x7f"\\/]')


class SourceKind(StrEnum):
    """What a file must be."""

    IMAGE = "image"
    EDITABLE = "editable"
    """An image that can be changed."""
    AUDIO = "audio"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a caller gives."""

    kind: SourceKind
    param: str
    """The field of the request that it stands in, for errors."""
    content: IO[bytes] | str
    """The content, or an http address where it is; an open file outlives the request."""
    name: str = ""
    mime_type: str = ""
    """As the caller says it; empty when not said."""


def field_of(param: str) -> str:
    """The end of a param, as people know the field: `image_url.url`."""
    return ".".join(param.split(".")[-2:])


def too_large(kind: SourceKind, param: str) -> InvalidRequestError:
    """What is said of a file with more than `MOST_BYTES`."""
    return InvalidRequestError(_RULES[kind].if_large.format(field_of(param)), code=_TOO_LARGE, param=param)


class Sources:
    """Opens what callers give.

    Args:
        media: Our own files, which an address may name.
        remote: Fetches what is elsewhere.
        settings: How many fetches at once, and how long each may take.
    """

    def __init__(self, media: MediaCache, remote: RemoteFiles, settings: SettingsService) -> None:
        self._media = media
        self._remote = remote
        self._settings = settings
        self._fetching = CapacityLimiter(1)

    @asynccontextmanager
    async def open(self, sources: Sequence[Source], own_url: str) -> AsyncGenerator[list[Upload], None]:
        """The files, all fetched and checked, in the order of the sources, until the block ends.

        Args:
            sources: What was given.
            own_url: What addresses of our own files begin with, before `/v1/files/`.

        Raises:
            InvalidRequestError: One can't be had, is too large, or not what it must be; `param` names the field.
        """
        if not sources:
            yield []
            return
        async with AsyncExitStack() as stack:
            room = _Room(stack)
            yield await together(self._open(source, own_url, room) for source in sources)

    async def _open(self, source: Source, own_url: str, room: "_Room") -> Upload:
        with _naming(source):
            if not isinstance(source.content, str):
                return await _check(source, source.content, source.name, source.mime_type)
            if own := _own_file(source.content, own_url):
                entry, file = self._open_own(*own, room.stack)
                return await _check(source, file, entry.name, content_type(entry))
            return await self._fetch(source, source.content, room)

    def _open_own(self, kind: Kind, name: str, stack: AsyncExitStack) -> tuple[Entry, IO[bytes]]:
        """A file of ours, which can be read to its end whoever deletes it meanwhile."""
        try:
            entry = stack.enter_context(self._media.reading(kind, name))
            return entry, stack.enter_context(self._media.path(entry).open("rb"))
        except (NotFoundError, FileNotFoundError) as error:
            raise InvalidRequestError(f"{kind.capitalize()} not found", code="invalid_media") from error

    async def _fetch(self, source: Source, url: str, room: "_Room") -> Upload:
        file = room.stack.enter_context(_spool())
        asset = self._settings.snapshot.asset
        with storing():
            async with room.fetching, place_among(asset.download_concurrent, self._fetching):
                room.check()
                with noting_step("fetch a given file"):
                    remote = await self._remote.fetch(
                        url, file, limit_bytes=MOST_BYTES, timeout_s=asset.download_timeout
                    )
                room.fetched_bytes += file.seek(0, os.SEEK_END)
        return await _check(source, file, source.name or remote.name, source.mime_type or remote.mime_type)


@dataclass(slots=True)
class _Room:
    """What the files of one request may take."""

    stack: AsyncExitStack
    fetching: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_MOST_FETCHES))
    fetched_bytes: int = 0

    def check(self) -> None:
        """Let another file be fetched.

        Raises:
            InvalidRequestError: There are too many bytes already.
        """
        if self.fetched_bytes > _MOST_FETCHED_BYTES:
            message = f"The files of a request may have {_MOST_FETCHED_BYTES >> 20} MB together"
            raise InvalidRequestError(message, code="invalid_media")


@contextmanager
def _spool() -> Iterator[IO[bytes]]:
    with SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
        yield file


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    """Let errors name the field, and say the same of what is too large wherever it comes from."""
    try:
        yield
    except InvalidRequestError as error:
        if error.code == _TOO_LARGE:
            raise too_large(source.kind, source.param) from error
        error.param = source.param
        raise


def _own_file(url: str, own_url: str) -> tuple[Kind, str] | None:
    """The kind and the name of the file of ours that an address names."""
    if not own_url or not url.lower().startswith(own_url.lower()):
        return None
    match = _OWN_PATH.fullmatch(url[len(own_url) :].partition("?")[0].partition("#")[0])
    return (Kind(match[1]), unquote(match[2])) if match else None


async def _check(source: Source, content: IO[bytes], name: str, mime_type: str) -> Upload:
    rule = _RULES[source.kind]
    size, head = await asyncio.to_thread(_look, content)
    if not size:
        raise InvalidRequestError(rule.if_empty[1].format(field_of(source.param)), code=rule.if_empty[0])
    if size > MOST_BYTES:
        raise too_large(source.kind, source.param)
    said = mime_type if _TYPE.fullmatch(mime_type) and mime_type != _UNKNOWN_TYPE else _guess(name)
    found = rule.type_of(said, head)
    if found is None:
        raise InvalidRequestError(rule.if_other[1].format(field_of(source.param)), code=rule.if_other[0])
    return Upload(_name(name, found), found, content)


def _look(content: IO[bytes]) -> tuple[int, bytes]:
    """How large a file is, and how it begins."""
    size = content.seek(0, 2)
    content.seek(0)
    return size, content.read(HEAD_BYTES)


def _image(said: str, head: bytes) -> str | None:
    """What the bytes say, unless the sender says something else altogether."""
    return picture_type(head) if not said or said.startswith("image/") else None


def _editable(said: str, head: bytes) -> str | None:
    found = picture_type(head)
    return found if found in _EDITABLE and said in ("", "image/jpg", *_EDITABLE) else None


def _audio(said: str, _head: bytes) -> str | None:
    """Recordings come as video too: audio/webm and video/webm are told apart by nobody."""
    return said if said.startswith(("audio/", "video/")) else None


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a file must be, and what is said of one that isn't, each a code and a sentence about the field."""

    type_of: Callable[[str, bytes], str | None]
    """From the type that the sender or the name says, perhaps none, and the first bytes to the one Grok is told."""
    if_other: tuple[str, str]
    if_empty: tuple[str, str] = ("invalid_media", "{} is empty")
    if_large: str = "{} is too large. Maximum is 50MB."


_RULES: Final[Mapping[SourceKind, _Rule]] = {
    SourceKind.IMAGE: _Rule(_image, ("invalid_media", "{} is not a png, jpeg, webp or gif image")),
    SourceKind.EDITABLE: _Rule(
        _editable,
        ("invalid_image_type", "Unsupported image type. Supported: png, jpg, webp."),
        ("empty_file", "File content is empty"),
        "Image file too large. Maximum is 50MB.",
    ),
    SourceKind.AUDIO: _Rule(_audio, ("invalid_media", "{} is not audio")),
    SourceKind.FILE: _Rule(lambda said, _: said or _UNKNOWN_TYPE, ("invalid_media", "{} is of no known type")),
}
"""Source of the editable ones: API contract, section 6."""


def _guess(name: str) -> str:
    """The type that a name's extension says; empty when it says none."""
    return _KNOWN_TYPES.guess_type(name)[0] or ""


def _name(name: str, mime_type: str) -> str:
    """A file name that nobody can misread, with an extension."""
    clean = _UNWANTED.sub("_", name)[-_MOST_NAME_CHARS:].strip(". ") or "file"
    return (
        clean
        if "." in clean
        else clean + (_KNOWN_TYPES.guess_extension(mime_type) or f".{mime_type.partition('/')[2]}")
    )
