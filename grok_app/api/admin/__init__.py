"""The operator's JSON API. Source: API contract, section 10."""

from grok_app.api.admin.tokens import router as tokens

__all__ = ["tokens"]
