"""Where the pages are. Links and redirects are built from these names, never from text."""

from typing import Final

LOGIN: Final = "/login"
IMAGINE: Final = "/imagine"
VIDEO: Final = "/video"
VOICE: Final = "/voice"
CHAT: Final = "/chat"
ADMIN_LOGIN: Final = "/admin/login"
OVERVIEW: Final = "/admin"
ACCOUNTS: Final = "/admin/token"
CACHE: Final = "/admin/cache"
SETTINGS: Final = "/admin/config"
REQUESTS: Final = "/admin/requests"

API_REFERENCE: Final = "/docs"
STUDIO: Final = IMAGINE
"""Where a visitor goes after signing in."""
