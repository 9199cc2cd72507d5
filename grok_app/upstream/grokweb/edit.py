"""Changing pictures. Source: protocol notes, section 4.3, epoch [F]: two pictures for each call."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from grok_app.upstream.base import DrawingFrame, EndFrame, Frame
from grok_app.upstream.grokweb.addresses import absolute
from grok_app.upstream.grokweb.conversation import Conversation, Waits
from grok_app.upstream.grokweb.frames import FrameReader
from grok_app.upstream.grokweb.headers import GrokWebOptions
from grok_app.upstream.media import EditPrompt, ImageProgress, ImagesDone

_MODEL: Final = "imagine-image-edit"
_TOTAL_S: Final = 600.0
"""No edit takes longer, however much Grok says meanwhile."""


def edit_conversation(prompt: EditPrompt, options: GrokWebOptions) -> Conversation:
    """What asks for the changed pictures."""
    references = [absolute(address) for address in prompt.images]
    config = {"imageReferences": references, "parentPostId": prompt.post_id}
    override = {"modelMap": {"imageEditModel": "imagine", "imageEditModelConfig": config}}
    waits = Waits(options.image_first_frame_timeout_s, options.image_idle_timeout_s, _TOTAL_S)
    return Conversation(waits, prompt.text, _MODEL, None, override, {"imageGen": True})


class EditReader:
    """Reads one answer: that of a chat, of which only the pictures count."""

    def __init__(self) -> None:
        self._frames = FrameReader()

    @property
    def has_ended(self) -> bool:
        """See `FrameReader.has_ended`."""
        return self._frames.has_ended

    def feed(self, data: bytes, found: list[ImageProgress | ImagesDone]) -> None:
        """See `FrameReader.feed`."""
        with self._pictures(found) as frames:
            self._frames.feed(data, frames)

    def finish(self, found: list[ImageProgress | ImagesDone]) -> None:
        """See `FrameReader.finish`; the last item is an ImagesDone."""
        with self._pictures(found) as frames:
            self._frames.finish(frames)

    @contextmanager
    def _pictures(self, found: list[ImageProgress | ImagesDone]) -> Iterator[list[Frame]]:
        """A list of frames, of which what counts is found, also when an error follows them."""
        frames: list[Frame] = []
        try:
            yield frames
        finally:
            for frame in frames:
                if isinstance(frame, DrawingFrame):
                    found.append(ImageProgress(frame.index, frame.percent))
                elif isinstance(frame, EndFrame):
                    found.append(ImagesDone(frame.pictures, self._frames.moderated))
