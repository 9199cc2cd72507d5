"""How visitors' wishes are written down, so that another process can fulfil them."""

from dataclasses import replace
from typing import IO

from pydantic import ConfigDict, TypeAdapter

from grok_app.chat import ReasoningEffort
from grok_app.imagine import ImagesRequest
from grok_app.video import VideoRequest

Film = tuple[VideoRequest, ReasoningEffort | None]
"""A video, and the reasoning effort that is said."""


class Drawings:
    """Pictures: words alone."""

    def __init__(self) -> None:
        self._adapter = TypeAdapter(ImagesRequest)

    def file_of(self, _wish: ImagesRequest) -> IO[bytes] | None:
        """None: a drawing begins with nothing."""
        return None

    def write(self, wish: ImagesRequest) -> bytes:
        """As JSON."""
        return self._adapter.dump_json(wish)

    def read(self, text: bytes, _file: IO[bytes] | None) -> ImagesRequest:
        """From JSON."""
        return self._adapter.validate_json(text)


class Films:
    """Videos: each may have a picture."""

    def __init__(self) -> None:
        config = ConfigDict(arbitrary_types_allowed=True)  # a picture may be an open file, which is never written
        self._adapter: TypeAdapter[Film] = TypeAdapter(Film, config=config)

    def file_of(self, wish: Film) -> IO[bytes] | None:
        """The picture, unless it is an address."""
        image = wish[0].image
        return None if image is None or isinstance(image.content, str) else image.content

    def write(self, wish: Film) -> bytes:
        """As JSON; the picture's content is empty there."""
        return self._adapter.dump_json(_with_content(wish, "") if self.file_of(wish) else wish)

    def read(self, text: bytes, file: IO[bytes] | None) -> Film:
        """From JSON, and the picture's content."""
        wish = self._adapter.validate_json(text)
        return _with_content(wish, file) if file else wish


def _with_content(wish: Film, content: IO[bytes] | str) -> Film:
    video, effort = wish
    return replace(video, image=video.image and replace(video.image, content=content)), effort
