"""Who may call: API keys, the operator's key and the public key."""

from grok_app.access.keys import Access

__all__ = ["Access"]
