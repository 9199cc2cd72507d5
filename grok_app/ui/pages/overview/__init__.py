"""What goes on now and went on in the last hour."""

from grok_app.ui.pages.overview.view import view

__all__ = ["view"]
