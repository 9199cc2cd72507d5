"""`GET` and `POST voice/token`. Source: API contract, section 9."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from grok_app.api.body import json_body, read_json
from grok_app.api.deps import Current, refuse_foreign_pages, require_public_key
from grok_app.api.openai.loose import NOT_BLANK, number, text
from grok_app.api.responses import NOBODY_LEFT, json_response
from grok_app.api.until import until_disconnect
from grok_app.runtime import Services
from grok_app.voice import VoicePass, VoiceRequest

router = APIRouter(prefix="/voice", tags=["public"], dependencies=[Depends(require_public_key)])
_BODY_LIMIT_BYTES: Final = 1 << 16
_MOST_CHARS: Final = 64
"""Of a name."""
_NAME: Final[dict[str, Any]] = {"pattern": NOT_BLANK}
_NAMES: Final = ("token", "url", "participant_name", "room_name")
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "What a LiveKit client connects with: `url` and `token`. Names that Grok didn't send are empty.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": list(_NAMES),
                    "properties": {name: {"type": "string"} for name in _NAMES},
                }
            }
        },
    }
}


class VoiceOptions(BaseModel):
    """How the voice is to be. Null is omitted."""

    model_config = ConfigDict(extra="ignore")

    voice: Annotated[str, BeforeValidator(text("voice", _MOST_CHARS, "ara"))] = Field(
        "ara", max_length=_MOST_CHARS, description="By its name at Grok.", json_schema_extra=_NAME
    )
    personality: Annotated[str, BeforeValidator(text("personality", _MOST_CHARS, "assistant"))] = Field(
        "assistant", max_length=_MOST_CHARS, description="By its name at Grok.", json_schema_extra=_NAME
    )
    speed: Annotated[float, BeforeValidator(number("speed", 0.5, 2.0, 1.0))] = Field(
        1.0, ge=0.5, le=2.0, description="From 0.5 to 2.0; 1.0 is the voice's own."
    )

    def as_request(self) -> VoiceRequest:
        """The request in the service's words."""
        return VoiceRequest(self.voice, self.personality, self.speed)


_BODY: Final = json_body(VoiceOptions)
_BODY["requestBody"]["required"] = False


@router.get("/token", summary="Get a token for a voice session", responses=_ANSWER)
async def get_token(request: Request, services: Current, options: Annotated[VoiceOptions, Query()]) -> Response:
    """Answers with what a LiveKit client needs; 503 `no_token` where no account can serve."""
    return await _give_token(services, request, options)


@router.post("/token", summary="Get a token for a voice session", openapi_extra=_BODY, responses=_ANSWER)
async def post_token(request: Request, services: Current) -> Response:
    """The same with the fields in a body. None at all stands for the defaults."""
    options = await read_json(request, VoiceOptions, limit_bytes=_BODY_LIMIT_BYTES, is_optional=True)
    return await _give_token(services, request, options)


async def _give_token(services: Services, request: Request, options: VoiceOptions) -> Response:
    refuse_foreign_pages(request, services)
    given = await until_disconnect(services.voice.token(options.as_request()), request.receive)
    return json_response(_as_json(given)) if given else NOBODY_LEFT


def _as_json(given: VoicePass) -> dict[str, str]:
    return {name: getattr(given, name) for name in _NAMES}
