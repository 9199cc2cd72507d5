"""Pictures over Grok's WebSocket. Source: protocol notes, sections 4.1 and 11.8 to 11.10, epoch [F]."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from typing import Any, Final
from uuid import uuid4

import orjson

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.call import Call
from grok_app.upstream.grokweb.failures import stream_failure
from grok_app.upstream.grokweb.headers import GrokWebOptions, socket_headers
from grok_app.upstream.grokweb.lines import as_object
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.websocket import WebSocket, open_websocket
from grok_app.upstream.media import ImaginePrompt, PictureEnd, PictureFrame

IMAGINE_PATH: Final = "/ws/imagine/listen"
_TOTAL_S: Final = 600.0
"""No socket is listened to for longer; six pictures take less than a minute."""
_IMAGE_ID: Final = re.compile(r"/images/([a-f0-9-]+)\.(?:png|jpe?g)", re.IGNORECASE)
_ID_FIELDS: Final = ("image_id", "id", "job_id")
_PLACE_FIELDS: Final = ("order", "grid_index", "side_by_side_index")


async def imagine(
    transport: Transport, options: GrokWebOptions, credential: str, prompt: ImaginePrompt
) -> AsyncGenerator[PictureFrame | PictureEnd, None]:
    """See `MediaUpstream.imagine`.

    Raises:
        UpstreamError: The upgrade was refused, Grok sent an error or nothing for too long, or the connection broke.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + _TOTAL_S
    limit_s = options.image_first_frame_timeout_s
    until = loop.time() + limit_s
    async with open_websocket(transport, _call(options, credential)) as socket:
        socket.send(imagine_request(prompt))
        while (message := await _receive(socket, min(until, end), limit_s)) is not None:
            if frame := read_message(message):
                yield frame
                limit_s = options.image_idle_timeout_s
                until = loop.time() + limit_s


def imagine_request(prompt: ImaginePrompt) -> str:
    """The message that asks for pictures."""
    properties = {
        "section_count": 0,
        "is_kids_mode": False,
        "enable_nsfw": prompt.has_adult_content,
        "skip_upsampler": False,
        "is_initial": False,
        "aspect_ratio": prompt.aspect_ratio,
    }
    asked = {"requestId": str(uuid4()), "text": prompt.text, "type": "input_text", "properties": properties}
    item = {"type": "message", "content": [asked]}
    now_ms = int(time.time() * 1000)
    return orjson.dumps({"type": "conversation.item.create", "timestamp": now_ms, "item": item}).decode()


def read_message(message: str) -> PictureFrame | PictureEnd | None:
    """The frame that a message is; None for one without a meaning here.

    Raises:
        UpstreamError: It is an error of Grok's.
    """
    try:
        said = as_object(orjson.loads(message))
    except orjson.JSONDecodeError:
        return None
    if said.get("type") == "error":
        raise stream_failure({"code": said.get("err_code"), "message": said.get("err_msg") or said.get("err_code")})
    if said.get("type") == "json" and said.get("current_status") == "completed":
        return PictureEnd(_image_id(said), _place(said), said.get("moderated") is True)
    return _picture(said) if said.get("type") == "image" else None


async def _receive(socket: WebSocket, until: float, limit_s: float) -> str | None:
    try:
        async with asyncio.timeout_at(until):
            return await socket.receive()
    except TimeoutError:
        message = f"Grok sent no picture for {limit_s:g} s, or had not finished after {_TOTAL_S:g} s"
        raise UpstreamError(ErrorKind.TIMEOUT, message) from None


def _call(options: GrokWebOptions, credential: str) -> Call:
    return Call(
        url=options.base_url.rstrip("/").replace("http", "ws", 1) + IMAGINE_PATH,
        headers=socket_headers(options, credential),
        body=b"",
        proxy=options.proxy,
        browser=options.browser,
        first_byte_timeout_s=options.image_first_frame_timeout_s,
        idle_timeout_s=_TOTAL_S,
    )


def _picture(said: dict[str, Any]) -> PictureFrame | None:
    blob = _text(said.get("blob"))
    if blob.startswith("data:"):
        blob = blob.partition(",")[2]
    return PictureFrame(_image_id(said), _text(said.get("url")), blob, _place(said)) if blob else None


def _image_id(said: dict[str, Any]) -> str | None:
    """The id in the picture's address, which all epochs have, else one of the fields of later ones."""
    if match := _IMAGE_ID.search(_text(said.get("url"))):
        return match[1]
    return next((value for name in _ID_FIELDS if (value := _text(said.get(name)))), None)


def _place(said: dict[str, Any]) -> int | None:
    found = (said.get(name) for name in _PLACE_FIELDS)
    return next((value for value in found if isinstance(value, int) and not isinstance(value, bool)), None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
