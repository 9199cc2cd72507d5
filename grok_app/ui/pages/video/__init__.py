"""The video page."""

from grok_app.ui.pages.video.state import VideoState
from grok_app.ui.pages.video.view import view

__all__ = ["VideoState", "view"]
