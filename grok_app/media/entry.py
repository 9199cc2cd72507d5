"""What is kept: kinds, names and sizes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from grok_app.errors import InvalidRequestError


class Kind(StrEnum):
    """The kinds of media; their values are folders, and words of our paths."""

    IMAGE = "image"
    VIDEO = "video"


_TYPES: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.IMAGE: {
        "png": "image/png",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "webp": "image/webp",
        "gif": "image/gif",
    },
    Kind.VIDEO: {"mp4": "video/mp4", "webm": "video/webm"},
}
"""Content types by extension. Nothing that a browser would run: no SVG, no HTML."""

MOST_BYTES: Final[Mapping[Kind, int]] = {Kind.IMAGE: 50 << 20, Kind.VIDEO: 1 << 30}
"""No file is larger."""
_MOST_CHARS: Final = 200
_SLASHES: Final = str.maketrans("/\\", "--")
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

Key = tuple[Kind, str]
"""A kind and a clean name."""


class Entry(NamedTuple):
    """One file. A tuple, since each request for a file makes and compares several."""

    kind: Kind
    name: str
    size_bytes: int
    mtime_ns: int
    """When it was written, Unix nanoseconds."""

    @property
    def key(self) -> Key:
        """What it is found by."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Stats:
    """How much there is."""

    count: int
    size_bytes: int


def clean_name(kind: Kind, name: str) -> str:
    """The one spelling of a name, good as a file's: slashes become dashes, but leading ones are dropped.

    Raises:
        InvalidRequestError: It is no name of a picture or a video, or could be more than a name.
    """
    cleaned = name.lstrip("/").translate(_SLASHES)
    if not is_name(kind, cleaned):
        raise InvalidRequestError(
            f"The name of {_A[kind]} has letters, digits, '.', '_' and '-', at most {_MOST_CHARS} of them, no dot at "
            f"its start, and ends in one of {', '.join(_TYPES[kind])}",
            param="name",
            code="invalid_name",
        )
    return cleaned


def is_name(kind: Kind, name: str) -> bool:
    """Whether a file of this kind can have this very name."""
    return len(name) <= _MOST_CHARS and bool(_NAME.fullmatch(name)) and _extension(name) in _TYPES[kind]


def content_type(entry: Entry) -> str:
    """The content type that its name says."""
    return _TYPES[entry.kind][_extension(entry.name)]


def path_of(kind: Kind, name: str) -> str:
    """The path that a file is served at. A link for others begins with the setting `app.app_url`."""
    return f"/v1/files/{kind}/{clean_name(kind, name)}"


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


_A: Final = {Kind.IMAGE: "an image", Kind.VIDEO: "a video"}
