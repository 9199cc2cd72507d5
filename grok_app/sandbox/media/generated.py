"""Generated pictures inside a chat response: drawn beside the stream, announced by progress, kept to be downloaded.

Source: protocol notes, sections 2.8.5, 3.3, 11.6 and 11.11.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from grok_app.sandbox.accounts import Account
from grok_app.sandbox.frames import Frames
from grok_app.sandbox.media.library import Asset, File, Library
from grok_app.sandbox.media.pictures import Drawing
from grok_app.sandbox.steps import Pacing, Step, Wait, Work
from grok_app.sandbox.words import Trouble


@dataclass(frozen=True, slots=True)
class Generated:
    """A picture that a response will show."""

    draw: Callable[[], Drawing]
    folder: str
    """Where its account's generated files are."""
    is_moderated: bool
    """Then it is named, but never there."""
    id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def path(self) -> str:
        """Where it can be downloaded."""
        return f"{self.folder}/{self.id}/image.jpg"

    @property
    def preview_path(self) -> str:
        """Where its preview can be downloaded."""
        return f"{self.folder}/{self.id}-part-0/image.jpg"


@dataclass(frozen=True, slots=True)
class Gallery:
    """Where the generated files of an account are kept."""

    owner: Account
    library: Library

    @property
    def folder(self) -> str:
        """The beginning of their paths."""
        return f"users/{self.owner.user_id}/generated"

    def picture(self, draw: Callable[[], Drawing], *, is_moderated: bool = False) -> Generated:
        """A picture that is yet to be drawn."""
        return Generated(draw, self.folder, is_moderated)

    def keep(self, picture: Generated, drawing: Drawing) -> None:
        """Put the drawing where the picture's paths say."""
        contents = {picture.path: drawing.final, picture.preview_path: drawing.preview}
        self.keep_files(picture.id, "image.jpg", {path: File(jpeg, "image/jpeg") for path, jpeg in contents.items()})

    def keep_files(self, asset_id: str, name: str, files: dict[str, File]) -> None:
        """Keep the files of one asset, the main one first."""
        self.library.add(Asset(self.owner.token, name, files, asset_id))


def is_withheld(number: int, troubles: Collection[Trouble]) -> bool:
    """Whether the picture of this number, counted from 1, is moderated."""
    return Trouble.MODERATED in troubles or (Trouble.MODERATED_ONE in troubles and number == 1)


def generate(pictures: Sequence[Generated], frames: Frames, gallery: Gallery, pacing: Pacing) -> Iterator[Step]:
    """All begin; then each is half done as a preview, and ends."""
    for index in range(len(pictures)):
        yield frames.image(index, 0)
    for index, picture in enumerate(pictures):
        yield Wait(pacing.stage_s)
        work = Work(picture.draw)
        yield work
        if not picture.is_moderated:
            gallery.keep(picture, work.result)
        yield frames.image(index, 50, imageUrl=picture.preview_path)
        yield Wait(pacing.stage_s)
        yield frames.image(index, 100, imageUrl=picture.path, assetId=picture.id, moderated=picture.is_moderated)
