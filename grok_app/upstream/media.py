"""What a way to Grok offers for files, pictures and videos. Its errors are those of `base`.

An *address* of a file at Grok is absolute or, as Grok mostly says it, a path like `users/…/image.jpg`. Both are
accepted wherever an address is taken.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be kept by Grok."""

    name: str
    mime_type: str
    content: bytes | Path | IO[bytes]
    """The bytes, or a local file that stays as it is meanwhile; an open one is read from its beginning."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that Grok keeps."""

    id: str
    """What `ChatPrompt.attachments` takes."""
    uri: str
    """Its address; empty when Grok didn't say."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in the list of what Grok keeps for an account."""

    id: str
    name: str
    """Empty when Grok didn't say."""
    size_bytes: int = 0
    """0 when Grok didn't say."""


class MediaKind(StrEnum):
    """What a download must be."""

    IMAGE = "image"
    VIDEO = "video"


class Download(Protocol):
    """A file on its way here, of which the first bytes have arrived."""

    mime_type: str
    """As Grok says it, without parameters, in lower case; of the kind asked for."""
    length: int | None
    """In bytes; None when Grok didn't say."""

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """The content as it arrives; to be called once.

        Raises:
            UpstreamError: It broke off, took too long, or is larger than the limit.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImagePost:
    """The post that an edit, or a video of a picture, belongs to."""

    address: str
    """The uploaded picture's."""


@dataclass(frozen=True, slots=True)
class VideoPost:
    """The post that a video of a text belongs to."""

    prompt: str


@dataclass(frozen=True, slots=True)
class EditPrompt:
    """One call for two changed pictures."""

    text: str
    images: tuple[str, ...]
    """The addresses of the uploaded pictures."""
    post_id: str


@dataclass(frozen=True, slots=True)
class ImageProgress:
    """How far one of the pictures is."""

    index: int
    """From 0."""
    percent: int


@dataclass(frozen=True, slots=True)
class ImagesDone:
    """The pictures of one call; comes last."""

    addresses: tuple[str, ...]
    """May be fewer than expected, or none."""
    moderated: int
    """How many were made and refused."""


class VideoPreset(StrEnum):
    """How wild a video is."""

    FUN = "fun"
    NORMAL = "normal"
    SPICY = "spicy"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class VideoPrompt:
    """One call for one video."""

    text: str
    post_id: str
    aspect_ratio: str
    """Such as `3:2`."""
    length_s: int
    resolution: str
    """`480p` or `720p`."""
    preset: VideoPreset


@dataclass(frozen=True, slots=True)
class VideoProgress:
    """How far the video is."""

    percent: int


@dataclass(frozen=True, slots=True)
class VideoDone:
    """The finished video; comes last."""

    address: str
    thumbnail: str | None
    """The address of a still, where there is one."""
    video_id: str | None
    """What `upscale` takes."""


@dataclass(frozen=True, slots=True)
class ImaginePrompt:
    """One text for up to six pictures."""

    text: str
    aspect_ratio: str
    """Such as `2:3`."""
    has_adult_content: bool


@dataclass(frozen=True, slots=True)
class PictureFrame:
    """A picture in some stage; the same picture comes again as it gets better."""

    image_id: str | None
    """The same for all stages of a picture; None when Grok didn't say."""
    url: str
    """As Grok sent it; empty when it sent none."""
    blob: str
    """The content in base64, without a `data:` prefix; never empty."""
    order: int | None
    """Its place among the pictures, when Grok said it."""

    @property
    def blob_length(self) -> int:
        """How long the base64 text is; what decides the stage."""
        return len(self.blob)


@dataclass(frozen=True, slots=True)
class PictureEnd:
    """Grok is done with a picture. Not said in every epoch, and perhaps before the last `PictureFrame`."""

    image_id: str | None
    order: int | None
    is_moderated: bool


class MediaUpstream(Protocol):
    """A way to Grok for files, pictures and videos.

    Every method raises an UpstreamError when Grok refuses, doesn't answer in time or answers what makes no sense.
    Generators raise it at any point; closing one ends the request at once.
    """

    async def upload(self, credential: str, file: Upload) -> Uploaded:
        """Have Grok keep a file. Costs little memory beside the content itself, and none for a local file."""
        ...

    def download(
        self, credential: str, address: str, *, kind: MediaKind, limit_bytes: int
    ) -> AbstractAsyncContextManager[Download]:
        """Fetch a file from Grok, at up to three attempts until its first bytes are there.

        Only Grok's own hosts are asked. Leaving the block ends the download at once.
        """
        ...

    def assets(self, credential: str) -> AsyncGenerator[Asset, None]:
        """List what Grok keeps for the account, page by page."""
        ...

    async def delete_asset(self, credential: str, asset_id: str) -> None:
        """Have Grok forget a file."""
        ...

    async def create_post(self, credential: str, post: ImagePost | VideoPost) -> str:
        """Create what an edit or a video belongs to, and give its id."""
        ...

    async def upscale(self, credential: str, video_id: str) -> str:
        """Make a finished video larger, and give the address of the larger one."""
        ...

    def edit_images(self, credential: str, prompt: EditPrompt) -> AsyncGenerator[ImageProgress | ImagesDone, None]:
        """Change pictures, and tell how far it is; the last item is an ImagesDone."""
        ...

    def video(self, credential: str, prompt: VideoPrompt) -> AsyncGenerator[VideoProgress | VideoDone, None]:
        """Make a video, and tell how far it is; the last item is a VideoDone."""
        ...

    def imagine(self, credential: str, prompt: ImaginePrompt) -> AsyncGenerator[PictureFrame | PictureEnd, None]:
        """Draw pictures, and give every stage as it comes.

        The caller closes the generator when it has what it wants. It ends by itself only when Grok hangs up; what is
        missing then doesn't come any more.
        """
        ...
