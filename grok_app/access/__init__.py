"""Who may call, and how often: keys, sessions, tickets, waits for those who guess, limits by address, key and room."""

from grok_app.access.address import Network, client_address, is_https
from grok_app.access.callers import Callers, open_callers
from grok_app.access.changes import change_settings
from grok_app.access.keys import Access
from grok_app.access.room import Room
from grok_app.access.sessions import (
    SESSION_COOKIE,
    SESSION_S,
    ConsoleSession,
    Sessions,
    end_all_sessions,
    session_cookie,
)
from grok_app.access.shared_tickets import open_tickets
from grok_app.access.tickets import Ticket, Tickets
from grok_app.access.visitors import Visitors, open_visitors

__all__ = [
    "SESSION_COOKIE",
    "SESSION_S",
    "Access",
    "Callers",
    "ConsoleSession",
    "Network",
    "Room",
    "Sessions",
    "Ticket",
    "Tickets",
    "Visitors",
    "change_settings",
    "client_address",
    "end_all_sessions",
    "is_https",
    "open_callers",
    "open_tickets",
    "open_visitors",
    "session_cookie",
]
