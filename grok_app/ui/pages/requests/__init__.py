"""What happened to each request."""

from grok_app.ui.pages.requests.view import view

__all__ = ["view"]
