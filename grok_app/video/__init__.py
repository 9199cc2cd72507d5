"""Videos: a text and perhaps a picture in, progress and a video out; retried over accounts until the first progress."""

from grok_app.video.service import VideoService
from grok_app.video.types import Event, Filming, Upscaling, Video, VideoRequest

__all__ = ["Event", "Filming", "Upscaling", "Video", "VideoRequest", "VideoService"]
