"""Who may call: keys, the console's sessions, waits for those who guess, and where a request comes from."""

from grok_app.access.address import Network, client_address, is_https
from grok_app.access.keys import Access
from grok_app.access.sessions import SESSION_COOKIE, SESSION_S, ConsoleSession, Sessions

__all__ = [
    "SESSION_COOKIE",
    "SESSION_S",
    "Access",
    "ConsoleSession",
    "Network",
    "Sessions",
    "client_address",
    "is_https",
]
