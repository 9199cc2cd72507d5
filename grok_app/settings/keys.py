"""The keys that are made here, so that a fresh installation is closed."""

import secrets
from typing import Final

KEYS: Final = ("app_key", "api_key", "public_key")
"""The keys in section `app` that are made at the first start."""


def make_key() -> str:
    """A new key: 32 random bytes, safe in a URL."""
    return secrets.token_urlsafe(32)
