"""Frames as a socket sends them, with pictures that are only as real as their first bytes."""

from base64 import b64encode
from typing import Final
from uuid import UUID

from grok_app.imagine.selection import Sizes
from grok_app.imagine.types import Stage
from grok_app.upstream import PictureEnd, PictureFrame

SIZES: Final = Sizes(medium=40, final=80)
LENGTHS: Final = {Stage.PREVIEW: 40, Stage.MEDIUM: 80, Stage.FINAL: 84}
"""Of base64: the longest that is not yet the next stage, and one that is final."""
NO_PICTURE: Final = "!" * LENGTHS[Stage.FINAL]


def blob(length: int) -> str:
    """Base64 of this length, a multiple of four, that begins like a picture."""
    return b64encode(b"\x89PNG\r\n\x1a\n".ljust(length // 4 * 3, b"x")).decode()


def frame(picture: int, stage: Stage = Stage.FINAL, *, content: str | None = None) -> PictureFrame:
    """A picture, by its number, in some stage."""
    return PictureFrame(id_of(picture), "", blob(LENGTHS[stage]) if content is None else content, None)


def frames(picture: int) -> list[PictureFrame]:
    """A picture in all its stages."""
    return [frame(picture, stage) for stage in Stage]


def refusal(picture: int) -> PictureEnd:
    """Grok refuses a picture."""
    return PictureEnd(id_of(picture), None, is_moderated=True)


def end(picture: int) -> PictureEnd:
    """Grok is done with a picture, and content with it."""
    return PictureEnd(id_of(picture), None, is_moderated=False)


def id_of(picture: int) -> str:
    """The id of a picture, as hard to guess as Grok's."""
    return str(UUID(int=picture))
