"""The OpenAI dialect: requests and answers as the `openai` SDK knows them."""

from grok_app.api.openai.chat import router as chat
from grok_app.api.openai.images import router as images
from grok_app.api.openai.models import router as models

__all__ = ["chat", "images", "models"]
