"""Which frames of a socket count: a socket draws up to six pictures, whatever was asked for.

Source: protocol notes, section 4.1, column [F]; API contract, section 6.
"""

import re
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from pybase64 import b64decode

from grok_app.imagine.types import Stage
from grok_app.media import picture_type
from grok_app.upstream import PictureEnd, PictureFrame

_FINAL_URL: Final = re.compile(r"\.jpe?g(?:[?#]|$)", re.IGNORECASE)
_UNGUESSABLE: Final = re.compile(r"[0-9a-f-]{32,36}")
PER_SOCKET: Final = 6
"""No socket draws more. Source: protocol notes, section 4.1, column [F]."""
_MOST_SEEN: Final = 64
"""More pictures than that belong to no prompt; what comes after them is passed over."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """From which length of its base64 a picture is taken to be further."""

    medium: int
    final: int

    def stage_of(self, frame: PictureFrame) -> Stage:
        """How finished this picture is."""
        if _FINAL_URL.search(frame.url) or frame.blob_length > self.final:
            return Stage.FINAL
        return Stage.MEDIUM if frame.blob_length > self.medium else Stage.PREVIEW


@dataclass(frozen=True, slots=True)
class Chosen:
    """A picture that goes to the caller."""

    index: int
    id: str
    """Grok's, if nobody can guess it, else one of ours; the same in all stages."""
    stage: Stage
    blob: str
    """Base64."""
    content: bytes
    mime_type: str


class Selection:
    """Chooses the pictures of one request, over all sockets that are opened for it.

    A place is given to the first picture that can be shown, and to another one if Grok refuses it. Where only finished
    pictures are shown, the first ones to be finished have the places.

    Args:
        count: How many are wanted.
        sizes: Decide the stages.
        shows_partial: Whether previews and medium pictures are wanted.
    """

    def __init__(self, count: int, sizes: Sizes, *, shows_partial: bool) -> None:
        self._sizes = sizes
        self._shows_partial = shows_partial
        self._free = list(range(count))
        self._places: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        self._stages: dict[str, Stage] = {}
        self._ended: set[str] = set()
        self._wanted = count
        self._spares: dict[str, Chosen] = {}
        self._missing = set(range(count))
        self.moderated = 0
        """How many pictures Grok has refused."""

    @property
    def missing(self) -> int:
        """How many finished pictures are still wanted."""
        return len(self._missing)

    @property
    def has_shown(self) -> bool:
        """Whether anything of the socket under way was chosen."""
        return bool(self._stages)

    @property
    def has_begun(self) -> bool:
        """Whether a picture of the socket under way has got further than a preview."""
        return any(stage >= Stage.MEDIUM for stage in self._stages.values())

    @property
    def is_over(self) -> bool:
        """Whether Grok has finished or refused every picture that it began, and began enough of them.

        It may still begin others, unless it has drawn all that a socket draws, see `is_full`.
        """
        decided = self._decided()
        return len(decided) >= self._wanted and self._stages.keys() <= decided

    @property
    def is_full(self) -> bool:
        """Whether Grok has finished or refused as many pictures as a socket draws."""
        return len(self._decided()) >= PER_SOCKET

    def begin(self) -> None:
        """Forget the pictures of the last socket, those of the next one are others. Finished places stay finished."""
        self._wanted = self.missing
        self._free = sorted(self._missing)
        self._places.clear()
        self._ids.clear()
        self._stages.clear()
        self._ended.clear()
        self._spares.clear()

    def take(self, frame: PictureFrame) -> Iterator[Chosen]:
        """What this frame brings to the caller.

        Nothing unless the picture has got further, really is one, and was not refused.
        """
        key = frame.image_id or f"order-{frame.order}"
        stage = self._sizes.stage_of(frame)
        may_count = key in self._stages or len(self._stages) < _MOST_SEEN
        if not may_count or key in self._ended or stage <= self._stages.get(key, 0):
            return
        is_shown = stage is Stage.FINAL or self._shows_partial
        found = _read(frame.blob) if is_shown else None
        if is_shown and found is None:
            return
        self._stages[key] = stage
        if found is not None:
            yield from self._place(key, stage, frame.blob, *found)

    def refuse(self, end: PictureEnd) -> Iterator[Chosen]:
        """Note the end of a picture; what takes the place of a refused one."""
        key = end.image_id or f"order-{end.order}"
        if not end.is_moderated or key in self._ended:
            return
        self.moderated += 1
        self._ended.add(key)
        self._spares.pop(key, None)
        place = self._places.get(key)
        if place is not None and place in self._missing:
            del self._places[key]
            self._free.append(place)
            yield from self._settle()

    def give_up(self) -> Iterator[Chosen]:
        """Take the places of pictures that don't get finished any more, for those that are."""
        for key, place in list(self._places.items()):
            if place in self._missing:
                del self._places[key]
                self._free.append(place)
        yield from self._settle()

    def _settle(self) -> Iterator[Chosen]:
        """Give the places that are free to finished pictures that had none."""
        while self._free and self._spares:
            _, spare = self._spares.popitem()
            yield self._finish(self._free.pop(0), spare)

    def _decided(self) -> set[str]:
        return self._ended | {key for key, stage in self._stages.items() if stage is Stage.FINAL}

    def _place(self, key: str, stage: Stage, blob: str, content: bytes, mime_type: str) -> Iterator[Chosen]:
        place = self._places.get(key)
        if place is None and self._free:
            place = self._places[key] = self._free.pop(0)
        picture_id = self._ids.setdefault(key, key if _UNGUESSABLE.fullmatch(key) else str(uuid4()))
        chosen = Chosen(-1 if place is None else place, picture_id, stage, blob, content, mime_type)
        if place is not None and place in self._missing:
            yield self._finish(place, chosen) if stage is Stage.FINAL else chosen
        elif place is None and stage is Stage.FINAL:
            self._spares[key] = chosen

    def _finish(self, place: int, chosen: Chosen) -> Chosen:
        self._missing.discard(place)
        return replace(chosen, index=place)


def _read(blob: str) -> tuple[bytes, str] | None:
    """The content of a frame and its media type; None when it is no picture."""
    try:
        content = b64decode(blob, validate=True)
    except (Base64Error, ValueError):
        return None
    mime_type = picture_type(content)
    return (content, mime_type) if mime_type else None
