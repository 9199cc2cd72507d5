"""What is shown where there is no page."""

from grok_app.ui.pages.not_found.view import view

__all__ = ["view"]
