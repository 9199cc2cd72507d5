"""What all pages of the console share: the guard of their events, the frame, the tasks under way, and the shapes.

A page's state is a `ConsoleState`; every event of it is an `@operator_event`. Its view is `console_page(…)`
around the shapes of `parts`. A page that shows what changes by itself has a background event with `self._beats()`.
Tasks that any page or script starts are shown below every page by themselves.
"""

from grok_app.ui.console.frame import console_page
from grok_app.ui.console.guard import GUARDED, ConsoleState, check_operator, forget, operator_event
from grok_app.ui.console.parts import (
    badge,
    confirm_dialog,
    dialog,
    dialog_actions,
    empty_state,
    meter,
    number_card,
    pager,
    search_field,
    skeleton,
    sort_head,
    tab,
    tabs,
)
from grok_app.ui.console.tasks import TasksState

__all__ = [
    "GUARDED",
    "ConsoleState",
    "TasksState",
    "badge",
    "check_operator",
    "confirm_dialog",
    "console_page",
    "dialog",
    "dialog_actions",
    "empty_state",
    "forget",
    "meter",
    "number_card",
    "operator_event",
    "pager",
    "search_field",
    "skeleton",
    "sort_head",
    "tab",
    "tabs",
]
