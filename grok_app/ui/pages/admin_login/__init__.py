"""The operator's sign-in."""

from grok_app.ui.pages.admin_login.state import AdminLoginState
from grok_app.ui.pages.admin_login.view import view

__all__ = ["AdminLoginState", "view"]
