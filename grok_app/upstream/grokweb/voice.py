"""The token of a voice session. Source: protocol notes, sections 1.3, 8.1 and 11.19, epoch [F].

The names of participant and room are those that epoch [A] reads; [F] sends none.
"""

from typing import Any, Final

import orjson

from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.unary import Question, ask
from grok_app.upstream.voice import VoicePrompt, VoiceToken

TOKENS_PATH: Final = "/rest/livekit/tokens"
_ABOUT: Final = "the voice token"
_PARTICIPANT: Final = ("participantName", "participant_name", "identity")
_ROOM: Final = ("roomName", "room_name", "room")


async def voice_token(
    transport: Transport, options: GrokWebOptions, credential: str, prompt: VoicePrompt
) -> VoiceToken:
    """See `VoiceUpstream.voice_token`."""
    headers = json_headers(options, credential)
    url = options.base_url.rstrip("/") + TOKENS_PATH
    reply = await ask(transport, options, Question(url, headers, _body(prompt), options.voice_timeout_s))
    told = reply.told(_ABOUT)
    return VoiceToken(reply.told_text(_ABOUT, "token"), _first_text(told, _PARTICIPANT), _first_text(told, _ROOM))


def _body(prompt: VoicePrompt) -> bytes:
    session = {
        "voice": prompt.voice,
        "personality": prompt.personality,
        "playback_speed": prompt.speed,
        "enable_vision": False,
        "turn_detection": {"type": "server_vad"},
    }
    body = {
        "sessionPayload": orjson.dumps(session).decode(),
        "requestAgentDispatch": False,
        "livekitUrl": prompt.livekit_url,
        "params": {"enable_markdown_transcript": "true"},
    }
    return orjson.dumps(body)


def _first_text(told: dict[str, Any], names: tuple[str, ...]) -> str:
    """The first of these fields that is a text and not empty; else an empty one."""
    return next((value for name in names if isinstance(value := told.get(name), str) and value), "")
