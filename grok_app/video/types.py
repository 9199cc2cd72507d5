"""What making a video takes and gives: the words shared by the API, the pages and the service."""

from dataclasses import dataclass

from grok_app.media import Source
from grok_app.upstream import VideoPreset


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """A video to be made, already validated."""

    prompt: str
    image: Source | None
    """What it begins with; None for a video of the text alone."""
    aspect_ratio: str
    """Such as `3:2`."""
    length_s: int
    resolution: str
    """`480p` or `720p`."""
    preset: VideoPreset
    own_url: str = ""
    """What addresses of our files begin with; empty: they begin with their path."""


@dataclass(frozen=True, slots=True)
class Filming:
    """How far the video is."""

    percent: int


@dataclass(frozen=True, slots=True)
class Upscaling:
    """The video is finished and is being made larger."""


@dataclass(frozen=True, slots=True)
class Video:
    """The finished video. Always the last event."""

    url: str
    thumbnail_url: str | None
    """A still; None when there is none."""


Event = Filming | Upscaling | Video
