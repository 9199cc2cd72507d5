"""What the studio's pages are made of: the way in, and their frame."""

from grok_app.ui.studio.entrance import StudioState
from grok_app.ui.studio.frame import studio_page

__all__ = ["StudioState", "studio_page"]
