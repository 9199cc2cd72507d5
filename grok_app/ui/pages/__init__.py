"""The pages, each a folder with its view and, where it has one, its state."""

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.console import TasksState
from grok_app.ui.pages import (
    accounts,
    admin_login,
    cache,
    chat,
    imagine,
    login,
    not_found,
    overview,
    requests,
    settings,
    video,
    voice,
)
from grok_app.ui.studio import StudioState

__all__ = ["ROUTES", "add_pages"]

ROUTES: Final = (
    routes.LOGIN,
    routes.IMAGINE,
    routes.VIDEO,
    routes.VOICE,
    routes.CHAT,
    routes.ADMIN_LOGIN,
    routes.OVERVIEW,
    routes.ACCOUNTS,
    routes.REQUESTS,
    routes.CACHE,
    routes.SETTINGS,
)
"""The path of every page."""


def add_pages(app: rx.App) -> None:
    """Give the app its pages."""
    _add_studio_page(app, routes.LOGIN, "Sign in", login.view)
    _add_studio_page(
        app, routes.IMAGINE, "Imagine", imagine.view, imagine.ImagineState.recall, imagine.ImagineState.look_up
    )
    _add_studio_page(app, routes.VIDEO, "Video", video.view, video.VideoState.recall)
    _add_studio_page(app, routes.VOICE, "Voice", voice.view, voice.VoiceState.recall)
    _add_studio_page(app, routes.CHAT, "Chat", chat.view, chat.ChatState.recall)
    app.add_page(
        admin_login.view,
        route=routes.ADMIN_LOGIN,
        title="Console · Grok App",
        on_load=admin_login.AdminLoginState.enter,
    )
    _add_console_page(app, routes.OVERVIEW, "Overview", overview.view, overview.OverviewState.watch)
    _add_console_page(app, routes.ACCOUNTS, "Accounts", accounts.view, accounts.AccountsState.watch)
    _add_console_page(app, routes.REQUESTS, "Requests", requests.view, requests.RequestsState.watch)
    _add_console_page(app, routes.CACHE, "Cache", cache.view, cache.FilesState.watch, cache.OnlineState.watch)
    _add_console_page(app, routes.SETTINGS, "Settings", settings.view, settings.SettingsState.watch)
    app.add_page(not_found.view, route="404", title="Grok App")


def _add_studio_page(app: rx.App, route: str, title: str, view: Callable[[], rx.Component], *events: Any) -> None:
    """Add a page of the studio. Arguments as of `_add_console_page`, `events` beside the look at who comes."""
    app.add_page(view, route=route, title=f"{title} · Grok App", on_load=[StudioState.enter, *events])


def _add_console_page(app: rx.App, route: str, title: str, view: Callable[[], rx.Component], *events: Any) -> None:
    """Add a page of the console.

    Args:
        app: Gets it.
        route: Its path.
        title: Of the browser's tab.
        view: Makes it.
        events: What happens when it is opened, beside the look at the tasks.
    """
    app.add_page(view, route=route, title=f"{title} · Grok App", on_load=[TasksState.watch, *events])
