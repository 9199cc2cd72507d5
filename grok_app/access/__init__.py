"""Who may call, and how often: keys, sessions, tickets, waits for those who guess, limits by address."""

from grok_app.access.address import Network, client_address, is_https
from grok_app.access.changes import change_settings
from grok_app.access.keys import Access
from grok_app.access.sessions import SESSION_COOKIE, SESSION_S, ConsoleSession, Sessions, session_cookie
from grok_app.access.tickets import Ticket, Tickets, open_tickets
from grok_app.access.visitors import Visitors

__all__ = [
    "SESSION_COOKIE",
    "SESSION_S",
    "Access",
    "ConsoleSession",
    "Network",
    "Sessions",
    "Ticket",
    "Tickets",
    "Visitors",
    "change_settings",
    "client_address",
    "is_https",
    "open_tickets",
    "session_cookie",
]
