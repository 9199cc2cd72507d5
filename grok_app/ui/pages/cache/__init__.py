"""The files that are kept, here and at Grok."""

from grok_app.ui.pages.cache.view import view

__all__ = ["view"]
