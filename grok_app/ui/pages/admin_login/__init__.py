"""The operator's sign-in. The console comes later; for now the page says where the operator's API is."""

from grok_app.ui.pages.admin_login.view import view

__all__ = ["view"]
