"""The imagine page."""

from grok_app.ui.pages.imagine.state import ImagineState
from grok_app.ui.pages.imagine.view import view

__all__ = ["ImagineState", "view"]
