"""Handing pictures over: as the address of a file of ours or as base64, counted and numbered."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pybase64 import b64encode

from grok_app.errors import GatewayError
from grok_app.imagine.selection import Chosen
from grok_app.imagine.types import Form, ImageUsage, Picture, Progress, Stage
from grok_app.logs import get_logger
from grok_app.media import Entry, Kind, MediaCache, path_of, together
from grok_app.trace import note_tokens
from grok_app.upstream import UpstreamError
from grok_app.usage import PICTURE_TOKENS, byte_length, tokens

log = get_logger(__name__)
_EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


class Hand:
    """Hands the pictures of one request over.

    Args:
        media: Where they are kept that go as addresses.
        form: How they go.
        own_url: What addresses begin with.
    """

    def __init__(self, media: MediaCache, form: Form, own_url: str) -> None:
        self._media = media
        self._form = form
        self._own_url = own_url
        self._steps: Counter[int] = Counter()

    async def over(self, chosen: Chosen) -> Picture:
        """A picture that came over the socket.

        Raises:
            OverloadedError: The disk is full.
        """
        content = chosen.blob if self._form == "b64_json" else await self._keep(chosen)
        return Picture(chosen.index, chosen.id, chosen.stage, self._step(chosen.index), content)

    async def all_over(self, chosen: Sequence[Chosen]) -> tuple[Picture, ...]:
        """Several of them, numbered anew. See `over`."""
        contents = await together(self.over(picture) for picture in chosen)
        return tuple(
            Picture(index, picture.id, picture.stage, 0, picture.content) for index, picture in enumerate(contents)
        )

    async def kept(self, index: int, entry: Entry) -> Picture:
        """A finished picture that is in the cache already."""
        if self._form == "url":
            content = self._own_url + path_of(entry.kind, entry.name)
        else:
            content = b64encode(await self._media.read(entry.kind, entry.name)).decode()
        return Picture(index, entry.name.rpartition(".")[0], Stage.FINAL, self._step(index), content)

    def progress(self, index: int, percent: int) -> Progress:
        """How far a picture is that can't be seen yet."""
        return Progress(index, self._step(index), percent)

    async def _keep(self, chosen: Chosen) -> str:
        suffix = "" if chosen.stage is Stage.FINAL else f"-{chosen.stage.name.lower()}"
        name = f"{chosen.id}{suffix}.{_EXTENSIONS[chosen.mime_type]}"
        entry = await self._media.put(Kind.IMAGE, name, chosen.content)
        return self._own_url + path_of(entry.kind, entry.name)

    def _step(self, index: int) -> int:
        self._steps[index] += 1
        return self._steps[index] - 1


def image_usage(prompt: str, given: int, made: int) -> ImageUsage:
    """What a prompt, so many given and so many made pictures count."""
    return ImageUsage(tokens(byte_length(prompt)), given * PICTURE_TOKENS, made * PICTURE_TOKENS)


def counted(usage: ImageUsage) -> ImageUsage:
    """The same, noted in the record of the request."""
    note_tokens(usage.input_tokens, usage.output_tokens)
    return usage


def shortage(made: int, asked: int, moderated: int) -> str:
    """Why there are fewer pictures than were asked for."""
    refused = f", and refused {moderated}" if moderated else ""
    return f"Grok finished {made} of the {asked} pictures asked for{refused}"


def check(results: Sequence[object]) -> None:
    """Raise the first failure when nothing succeeded, and a bug in any case; else log what failed.

    Raises:
        UpstreamError: As the first one says.
        GatewayError: Likewise.
    """
    failures = [result for result in results if isinstance(result, BaseException)]
    bugs = [failure for failure in failures if not isinstance(failure, UpstreamError | GatewayError)]
    if bugs or len(failures) == len(results):
        raise (bugs or failures)[0]
    for failure in failures:
        log.warning("a part of a request for pictures failed", reason=str(failure))
