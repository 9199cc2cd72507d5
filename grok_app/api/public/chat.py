"""`POST /v1/public/chat/completions`: a conversation of a visitor. Source: API contract, sections 5 and 9."""

from fastapi import APIRouter, Depends, Request, Response

from grok_app.api.body import json_body, read_with_files
from grok_app.api.deps import Current, address_of, refuse_foreign_pages, require_open_studio, take_room
from grok_app.api.held import Held
from grok_app.api.openai.chat import ANSWER, answer_chat
from grok_app.api.public.tasks import VISITOR
from grok_app.api.public.wishes import ChatWish

router = APIRouter(prefix="/chat", tags=["public"])


@router.post(
    "/completions",
    summary="Answer a visitor's conversation",
    dependencies=[Depends(require_open_studio), *VISITOR],
    openapi_extra=json_body(ChatWish),
    responses=ANSWER,
)
async def answer_visitor(request: Request, services: Current, held: Held) -> Response:
    """Answer as `/v1/chat/completions` does, but by the text models only and with thinking as `reasoning_content`.

    An answer under way is one of the runs that an address may have at once (`public.max_runs_per_address`); one more
    is a 429. While the studio is closed (`app.public_enabled`) this is a 404, whatever key is shown.
    """
    refuse_foreign_pages(request, services)
    held.enter_context(await services.visitors.running(address_of(request, services)))
    wish, lifter = await read_with_files(request, ChatWish, held)
    await take_room(services, held)
    return await answer_chat(services, request, wish, lifter, has_think_tags=False)
