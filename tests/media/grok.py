"""Grok as tests of files, edits and videos need it: keeps and gives files, and plays scripts."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from grok_app.upstream import (
    EditPrompt,
    ImagePost,
    MediaKind,
    MediaUpstream,
    Upload,
    Uploaded,
    VideoPost,
    VideoPrompt,
)

PNG: Final = b"\x89PNG\r\n\x1a\n and so on"
USER: Final = "00000000-0000-4000-8000-00000000cafe"
Step = Any
"""What an answer gives, a failure, or an event to wait for."""
Script = Sequence[Step]


def file_id(number: int) -> str:
    """An id as Grok makes them."""
    return str(UUID(int=number, version=4))


def address_of(number: int, name: str = "image.jpg") -> str:
    """The address of a file that Grok has made."""
    return f"users/{USER}/generated/{file_id(number)}/{name}"


@dataclass
class Piecemeal:
    """A download: the pieces of its script."""

    grok: "MediaGrok"
    script: Script
    mime_type: str = "image/png"
    length: int | None = None

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """As the script says."""
        async for step in self.grok.play("download", self.script):
            yield step


class MediaGrok:
    """Takes and gives files, makes posts, and plays one script for each edit and each video, in order.

    Attributes:
        asked: Every call and whose it was, `("upload", "anna")` and the like, in order.
        uploads: What was uploaded: its name, its type and its content.
        upload_scripts: Played by the first uploads, one each, before the file is taken.
        uri: Where an uploaded file is, by its number from 1.
        posts: What was posted; a failure in `post_failure` is raised instead of giving an id.
        downloads: By address, what its first downloads play; the others give a picture.
        larger: The address of the larger video, or why there is none.
        open: How many calls of a kind are under way; `most_open` the most there have been.
    """

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self._news = asyncio.Event()
        self.asked: list[tuple[str, str]] = []
        self.uploads: list[tuple[str, str, bytes]] = []
        self.upload_scripts: list[Script] = []
        self.uri: Callable[[int], str] = lambda number: f"users/{USER}/{file_id(number)}/content"
        self.posts: list[ImagePost | VideoPost] = []
        self.post_failure: Exception | None = None
        self.downloads: defaultdict[str, list[Script]] = defaultdict(list)
        self.larger: str | Exception = address_of(99, "generated_video_hd.mp4")
        self.prompts: list[EditPrompt | VideoPrompt] = []
        self.open: defaultdict[str, int] = defaultdict(int)
        self.most_open: defaultdict[str, int] = defaultdict(int)

    @property
    def face(self) -> MediaUpstream:
        """As the code under test knows it: of all the methods it has those that are called."""
        return cast("MediaUpstream", self)

    def count(self, call: str) -> int:
        """How often this was asked."""
        return sum(asked == call for asked, _ in self.asked)

    async def until(self, is_so: Callable[["MediaGrok"], bool]) -> None:
        """Return when this is so; it is looked at whenever a call begins or ends."""
        while not is_so(self):
            self._news.clear()
            await self._news.wait()

    async def play(self, call: str, script: Script) -> AsyncGenerator[Any, None]:
        """Give, wait for and raise what the script says."""
        self.open[call] += 1
        self.most_open[call] = max(self.most_open[call], self.open[call])
        self._news.set()
        try:
            for step in script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.open[call] -= 1
            self._news.set()

    async def upload(self, credential: str, file: Upload) -> Uploaded:
        """Keep it."""
        self.asked.append(("upload", credential))
        script = self.upload_scripts.pop(0) if self.upload_scripts else []
        [_ async for _ in self.play("upload", script)]
        self.uploads.append((file.name, file.mime_type, _bytes(file.content)))
        number = len(self.uploads)
        return Uploaded(file_id(number), self.uri(number))

    @asynccontextmanager
    async def download(
        self, credential: str, address: str, *, kind: MediaKind, limit_bytes: int
    ) -> AsyncGenerator[Piecemeal, None]:
        """Give it."""
        assert limit_bytes >= (50 << 20 if kind is MediaKind.IMAGE else 1 << 30)
        self.asked.append(("download", credential))
        scripts = self.downloads[address]
        yield Piecemeal(self, scripts.pop(0) if scripts else [PNG])

    async def create_post(self, credential: str, post: ImagePost | VideoPost) -> str:
        """Give its id."""
        self.asked.append(("post", credential))
        self.posts.append(post)
        if self.post_failure:
            raise self.post_failure
        return f"post-{len(self.posts)}"

    async def upscale(self, credential: str, video_id: str) -> str:
        """Say where the larger one is."""
        self.asked.append((f"upscale {video_id}", credential))
        if isinstance(self.larger, Exception):
            raise self.larger
        return self.larger

    def edit_images(self, credential: str, prompt: EditPrompt) -> AsyncGenerator[Any, None]:
        """Play the next script."""
        return self._next("edit", credential, prompt)

    def video(self, credential: str, prompt: VideoPrompt) -> AsyncGenerator[Any, None]:
        """Play the next script."""
        return self._next("video", credential, prompt)

    def _next(self, call: str, credential: str, prompt: EditPrompt | VideoPrompt) -> AsyncGenerator[Any, None]:
        self.asked.append((call, credential))
        self.prompts.append(prompt)
        return self.play(call, self._scripts.pop(0))


def _bytes(content: bytes | Path | Any) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, Path):
        return content.read_bytes()
    content.seek(0)
    read: bytes = content.read()
    return read
