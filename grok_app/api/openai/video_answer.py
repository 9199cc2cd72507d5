"""A video as the answer of a chat: progress as thinking, the video as text. Source: API contract, section 5.3."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from html import escape
from uuid import uuid4

from grok_app.chat import Event, Finished, Started, Text, Thought, Usage
from grok_app.phrases import filming, upscaling
from grok_app.settings import Settings
from grok_app.trace import note_tokens
from grok_app.usage import PICTURE_TOKENS, byte_length, tokens
from grok_app.video import Event as VideoEvent
from grok_app.video import Filming, Upscaling, Video, VideoRequest


async def as_chat(
    events: AsyncGenerator[VideoEvent, None], request: VideoRequest, settings: Settings, *, shows_progress: bool
) -> AsyncGenerator[list[Event], None]:
    """The events of a chat that stand for those of a video."""
    answer = VideoAnswer(request, settings, shows_progress=shows_progress)
    async with aclosing(events):
        async for event in events:
            if told := list(answer.tell(event)):
                yield told
    yield [answer.finished()]


class VideoAnswer:
    """Tells of one video as a chat does: its progress is the thinking, its address the text."""

    def __init__(self, request: VideoRequest, settings: Settings, *, shows_progress: bool) -> None:
        self._request = request
        self._settings = settings
        self._shows_progress = shows_progress
        self._has_started = False
        self._content = ""

    def tell(self, event: VideoEvent) -> Iterator[Event]:
        """What an event means."""
        if not self._has_started:
            self._has_started = True
            yield Started(f"chatcmpl-{uuid4().hex}", None)
        if isinstance(event, Video):
            self._content = _content(event, self._settings)
            yield Text([self._content])
        elif self._shows_progress:
            yield Thought(f"{_line(event, self._settings)}\n")

    def finished(self) -> Finished:
        """What comes last, noted in the record of the request too."""
        given = tokens(byte_length(self._request.prompt)) + (PICTURE_TOKENS if self._request.image else 0)
        usage = Usage(given, tokens(byte_length(self._content)), 0)
        note_tokens(usage.prompt_tokens, usage.completion_tokens)
        return Finished(usage)


def _line(event: Filming | Upscaling, settings: Settings) -> str:
    language = settings.app.language
    return upscaling(language) if isinstance(event, Upscaling) else filming(language, event.percent)


def _content(video: Video, settings: Settings) -> str:
    match settings.app.video_format:
        case "url":
            return video.url
        case "markdown":
            return f"[video]({video.url})"
        case "html":
            poster = f' poster="{escape(video.thumbnail_url)}"' if video.thumbnail_url else ""
            source = f'<source src="{escape(video.url)}" type="video/mp4">'
            return f"<video controls{poster}>\n  {source}\n</video>"
