"""The operator's JSON API. Source: API contract, section 10."""

from grok_app.api.admin.batch import router as batch
from grok_app.api.admin.cache import router as cache
from grok_app.api.admin.config import router as config
from grok_app.api.admin.online import router as online
from grok_app.api.admin.session import router as session
from grok_app.api.admin.token_jobs import router as token_jobs
from grok_app.api.admin.tokens import router as tokens

__all__ = ["batch", "cache", "config", "online", "session", "token_jobs", "tokens"]
