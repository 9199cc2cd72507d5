"""How the gateway does, at a glance and live: accounts, requests, first tokens, failures, cache, server."""

from grok_app.ui.pages.overview.state import OverviewState
from grok_app.ui.pages.overview.view import view

__all__ = ["OverviewState", "view"]
