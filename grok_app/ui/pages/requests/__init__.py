"""What happened to each request: the list, filtered and searched, and one of them in full."""

from grok_app.ui.pages.requests.state import RequestsState
from grok_app.ui.pages.requests.view import view

__all__ = ["RequestsState", "view"]
