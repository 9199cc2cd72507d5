"""The chat: try any model in the browser."""

from grok_app.ui.pages.chat.state import ChatState
from grok_app.ui.pages.chat.view import view

__all__ = ["ChatState", "view"]
