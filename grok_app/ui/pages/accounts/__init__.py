"""The accounts of the pool: looked through, added, edited, imported, exported, and worked on many at a time."""

from grok_app.ui.pages.accounts.actions import ActionsState
from grok_app.ui.pages.accounts.editing import EditState
from grok_app.ui.pages.accounts.importing import ImportState
from grok_app.ui.pages.accounts.state import AccountsState
from grok_app.ui.pages.accounts.view import view

__all__ = ["AccountsState", "ActionsState", "EditState", "ImportState", "view"]
