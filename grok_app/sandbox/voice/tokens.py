"""`POST /rest/livekit/tokens`: who asks gets a room of its own. Source: protocol notes, sections 8.1 and 11.19."""

from typing import Annotated, Final, Literal
from uuid import uuid4

import orjson
from pydantic import BaseModel, ConfigDict, Field, Json, StringConstraints, ValidationError

from grok_app.sandbox.exchange import Asked, Outcome
from grok_app.sandbox.replies import RefusedError, json_reply, refusal
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.voice.passes import Guest, issue

_STRICT: Final = ConfigDict(strict=True, extra="forbid")
Named = Annotated[str, StringConstraints(min_length=1)]


class _TurnDetection(BaseModel):
    model_config = _STRICT

    type: Literal["server_vad"]


class _Session(BaseModel):
    """How the voice is to be."""

    model_config = _STRICT

    voice: Named
    personality: Named
    playback_speed: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    enable_vision: bool
    turn_detection: _TurnDetection


class _Wanted(BaseModel):
    """The body of the call. The session is JSON within a text."""

    model_config = _STRICT

    session: Json[_Session] = Field(alias="sessionPayload")
    has_agent: bool = Field(alias="requestAgentDispatch")
    url: Annotated[str, StringConstraints(pattern=r"^wss?://[^/]+")] = Field(alias="livekitUrl")
    params: dict[str, str]


def decide_voice(_sandbox: Sandbox, asked: Asked) -> Outcome:
    """Give a token for a new room. Nothing is taken from the quota.

    Raises:
        RefusedError: A field is missing, wrong or unknown.
    """
    try:
        wanted = _Wanted.model_validate(asked.fields)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise RefusedError(refusal(400, 3, f"{where} is missing or wrong")) from error
    how = wanted.session.model_dump(include={"voice", "personality", "playback_speed"})
    guest = Guest(f"user-{asked.account.user_id}", f"room-{uuid4()}", orjson.dumps(how).decode())
    names = {"participantName": guest.identity, "roomName": guest.room}
    return json_reply({"token": issue(guest), "livekitUrl": wanted.url, **names})
