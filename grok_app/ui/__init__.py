"""The pages for people: Reflex states and views over the same services as the API.

`state.py` guards, calls one service, copies the result; `view.py` turns state into components. There is no SQL, no HTTP
and no rule here.
"""

from grok_app.ui.arrival import Arrival
from grok_app.ui.layout import connection_note
from grok_app.ui.pages import ROUTES, add_pages

__all__ = ["ROUTES", "Arrival", "add_pages", "connection_note"]
