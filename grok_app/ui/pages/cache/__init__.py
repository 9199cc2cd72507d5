"""The files that are kept, here and at Grok."""

from grok_app.ui.pages.cache.files_state import FilesState
from grok_app.ui.pages.cache.online_state import OnlineState
from grok_app.ui.pages.cache.view import view

__all__ = ["FilesState", "OnlineState", "view"]
