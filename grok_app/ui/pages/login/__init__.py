"""The studio's sign-in."""

from grok_app.ui.pages.login.view import view

__all__ = ["view"]
