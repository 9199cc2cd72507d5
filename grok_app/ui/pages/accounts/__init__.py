"""The accounts of the pool."""

from grok_app.ui.pages.accounts.view import view

__all__ = ["view"]
