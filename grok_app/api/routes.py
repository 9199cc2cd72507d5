"""Every route of the API, by prefix. An index, nothing else."""

from typing import Final

from fastapi import APIRouter

from grok_app.api.admin import batch, cache, config, online, session, token_jobs, tokens
from grok_app.api.direct import Endpoint
from grok_app.api.files import router as files
from grok_app.api.health import router as health
from grok_app.api.metrics import router as metrics
from grok_app.api.openai import chat, images, models
from grok_app.api.openai.chat import chat_completions
from grok_app.api.public import public, socket
from grok_app.api.verify import admin as verify_admin

_INFERENCE: Final = ("/v1", "/grok/v1")
_ADMIN: Final = ("/v1/admin", "/api/v1/admin")
_PUBLIC: Final = ("/v1/public", "/api/v1/public")

ROUTERS: Final[tuple[tuple[APIRouter, tuple[str, ...]], ...]] = (
    (files, _INFERENCE),  # first: asked for in crowds, and routes are tried one after the other
    (health, ("",)),
    (metrics, ("",)),
    (chat, _INFERENCE),
    (images, _INFERENCE),
    (models, _INFERENCE),
    (verify_admin, _ADMIN),
    (session, _ADMIN),
    (config, _ADMIN),
    (tokens, _ADMIN),
    (token_jobs, _ADMIN),
    (batch, _ADMIN),
    (cache, _ADMIN),
    (online, _ADMIN),
    (public, _PUBLIC),
    (socket, _PUBLIC),
)
"""Each router with the prefixes that it answers under."""

DIRECT: Final[dict[str, Endpoint]] = {f"{prefix}/chat/completions": chat_completions for prefix in _INFERENCE}
"""What is asked in crowds. See `grok_app.api.direct`."""
