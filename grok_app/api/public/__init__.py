"""What visitors call: conversations, pictures without end, videos, voice. Source: API contract, section 9."""

from fastapi import APIRouter, Depends

from grok_app.api.deps import count_visit
from grok_app.api.public.chat import router as chat
from grok_app.api.public.imagine import router as imagine
from grok_app.api.public.imagine_socket import router as socket
from grok_app.api.public.video import router as video
from grok_app.api.public.voice import router as voice
from grok_app.api.verify import public as verify

__all__ = ["public", "socket"]

public = APIRouter(dependencies=[Depends(count_visit)])
"""Every route of the public surface but the socket's, which counts for itself: it can't be answered with an error."""
for _router in (verify, chat, imagine, video, voice):
    public.include_router(_router)
