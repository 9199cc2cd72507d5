"""Making a video. Source: protocol notes, sections 5.2, 5.3 and 11.12, epoch [F]."""

from typing import Any, Final

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.addresses import asset_id
from grok_app.upstream.grokweb.conversation import Conversation, Waits
from grok_app.upstream.grokweb.headers import GrokWebOptions
from grok_app.upstream.grokweb.lines import Lines, as_object, raise_stream_errors, response_of
from grok_app.upstream.media import VideoDone, VideoPreset, VideoProgress, VideoPrompt

_MODEL: Final = "grok-3"
_FINISHED: Final = 100
_TOTAL_S: Final = 900.0
"""No video takes longer, however much Grok says meanwhile (section 0.2)."""
_MODES: Final = {
    VideoPreset.FUN: "extremely-crazy",
    VideoPreset.NORMAL: "normal",
    VideoPreset.SPICY: "extremely-spicy-or-crazy",
    VideoPreset.CUSTOM: "custom",
}


def video_conversation(prompt: VideoPrompt, options: GrokWebOptions) -> Conversation:
    """What asks for a video."""
    config = {
        "aspectRatio": prompt.aspect_ratio,
        "parentPostId": prompt.post_id,
        "resolutionName": prompt.resolution,
        "videoLength": prompt.length_s,
    }
    message = f"{prompt.text} --mode={_MODES[prompt.preset]}".strip()
    override = {"modelMap": {"videoGenModelConfig": config}}
    waits = Waits(options.video_first_frame_timeout_s, options.video_idle_timeout_s, _TOTAL_S)
    return Conversation(waits, message, _MODEL, None, override, {"videoGen": True})


class VideoReader:
    """Reads one answer: progress that only grows, then the video."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._percent = 0
        self._is_moderated = False
        self._done: VideoDone | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the video is there; what may follow has no meaning."""
        return self._done is not None

    def feed(self, data: bytes, found: list[VideoProgress | VideoDone]) -> None:
        """Add what these bytes complete.

        Raises:
            UpstreamError: The answer carries an error, or a line without an end.
        """
        for line in self._lines.feed(data):
            self._line(line, found)

    def finish(self, found: list[VideoProgress | VideoDone]) -> None:
        """Add what a last line without a line break says.

        Raises:
            UpstreamError: The answer ended without a video.
        """
        self._line(self._lines.rest(), found)
        if self._done is None and self._is_moderated:
            raise UpstreamError(ErrorKind.MODERATED, "Grok made the video and refused to give it")
        if self._done is None:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok ended its answer without a video")

    def _line(self, line: bytes, found: list[VideoProgress | VideoDone]) -> None:
        if self._done is not None:
            return
        response = response_of(line)
        raise_stream_errors(as_object(response.get("modelResponse")))
        if said := as_object(response.get("streamingVideoGenerationResponse")):
            self._said(said, found)

    def _said(self, said: dict[str, Any], found: list[VideoProgress | VideoDone]) -> None:
        percent = said.get("progress")
        if isinstance(percent, int) and self._percent < percent <= _FINISHED:
            self._percent = percent
            found.append(VideoProgress(percent))
        if said.get("moderated") is True:
            self._is_moderated = True
        elif percent == _FINISHED and (address := _text(said.get("videoUrl"))):
            video_id = asset_id(address) or _text(said.get("videoId"))
            self._done = VideoDone(address, _text(said.get("thumbnailImageUrl")), video_id)
            found.append(self._done)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
