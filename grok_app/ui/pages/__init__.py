"""The pages, each a folder with its view and, where it has one, its state."""

from typing import Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.pages import admin_login, chat, login, not_found

__all__ = ["ROUTES", "add_pages"]

ROUTES: Final = (routes.LOGIN, routes.CHAT, routes.ADMIN_LOGIN)
"""The path of every page."""


def add_pages(app: rx.App) -> None:
    """Give the app its pages."""
    app.add_page(login.view, route=routes.LOGIN, title="Grok App", on_load=login.LoginState.enter)
    app.add_page(chat.view, route=routes.CHAT, title="Chat · Grok App", on_load=chat.ChatState.enter)
    app.add_page(admin_login.view, route=routes.ADMIN_LOGIN, title="Console · Grok App")
    app.add_page(not_found.view, route="404", title="Grok App")
