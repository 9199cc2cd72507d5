"""A video as the answer of a chat: progress as thinking, the video as text. Source: API contract, section 5.3."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from html import escape
from uuid import uuid4

from grok_app.chat import Event, Finished, Started, Text, Thought, Usage
from grok_app.phrases import filming, upscaling
from grok_app.settings import Settings
from grok_app.usage import PICTURE_TOKENS, byte_length, tokens
from grok_app.video import Event as VideoEvent
from grok_app.video import Filming, Upscaling, Video, VideoRequest


async def as_chat(
    events: AsyncGenerator[VideoEvent, None], request: VideoRequest, settings: Settings, *, shows_progress: bool
) -> AsyncGenerator[Event, None]:
    """The events of a chat that stand for those of a video."""
    has_started = False
    content = ""
    async with aclosing(events):
        async for event in events:
            if not has_started:
                has_started = True
                yield Started(f"chatcmpl-{uuid4().hex}", None)
            if isinstance(event, Video):
                content = _content(event, settings)
                yield Text(content)
            elif shows_progress:
                yield Thought(f"{_line(event, settings)}\n")
    given = tokens(byte_length(request.prompt)) + (PICTURE_TOKENS if request.image else 0)
    yield Finished(Usage(given, tokens(byte_length(content)), 0))


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
