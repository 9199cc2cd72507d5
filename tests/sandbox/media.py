"""Calls of a client that uploads, draws, edits and films."""

from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import orjson
from curl_cffi import CurlError
from curl_cffi.requests import AsyncSession, AsyncWebSocket
from curl_cffi.requests.websockets import WebSocketError, WebSocketTimeout
from PIL import Image

from .conftest import CHAT, Caller, cookies_of

UPLOAD = "/rest/app-chat/upload-file"
ASSETS = "/rest/assets"
POST = "/rest/media/post/create"
UPSCALE = "/rest/media/video/upscale"
ASSETS_HOST = "https://assets.grok.com/"
ACCOUNT = "sandbox-basic-1"


def png(width: int = 300, height: int = 200, colour: str = "red") -> bytes:
    """A picture of one colour."""
    target = BytesIO()
    Image.new("RGB", (width, height), colour).save(target, "PNG")
    return target.getvalue()


def image_of(content: bytes) -> Image.Image:
    """Decode all of a picture."""
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


async def upload(caller: Caller, content: bytes, account: str = ACCOUNT, mime: str = "image/png") -> httpx.Response:
    """Upload a file."""
    body = {"fileName": "file.png", "fileMimeType": mime, "content": b64encode(content).decode()}
    return await caller.post(UPLOAD, body, account)


async def download(caller: Caller, url: str, account: str = ACCOUNT) -> httpx.Response:
    """Download a file by its path or by its URL on Grok's host."""
    return await caller.http.get("/" + url.removeprefix(ASSETS_HOST), headers=cookies_of(account))


async def post(caller: Caller, body: dict[str, Any], account: str = ACCOUNT) -> httpx.Response:
    """Create a media post."""
    return await caller.post(POST, body, account)


def edit_body(message: str, urls: list[str], post_id: str = "p-1") -> dict[str, Any]:
    """The request of section 4.3."""
    config = {"imageReferences": urls, "parentPostId": post_id}
    models = {"imageEditModel": "imagine", "imageEditModelConfig": config}
    return {
        "message": message,
        "modelName": "imagine-image-edit",
        "modelMode": None,
        "toolOverrides": {"imageGen": True},
        "responseMetadata": {"modelConfigOverride": {"modelMap": models}},
    }


def video_body(message: str, post_id: str, **changes: Any) -> dict[str, Any]:
    """The request of section 5.2."""
    config = {"aspectRatio": "3:2", "parentPostId": post_id, "resolutionName": "480p", "videoLength": 6, **changes}
    return {
        "message": f"{message} --mode=normal",
        "modelName": "grok-3",
        "modelMode": None,
        "toolOverrides": {"videoGen": True},
        "responseMetadata": {"modelConfigOverride": {"modelMap": {"videoGenModelConfig": config}}},
    }


async def responses(caller: Caller, body: dict[str, Any], account: str = ACCOUNT) -> list[dict[str, Any]]:
    """Every `result.response` of a stream."""
    response = await caller.post(CHAT, body, account)
    assert response.status_code == 200, response.text
    results = [orjson.loads(line)["result"] for line in response.content.splitlines()]
    return [result["response"] for result in results if "response" in result]


def all_of(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The responses' fields of one kind."""
    return [response[kind] for response in found if kind in response]


@dataclass
class Painter:
    """A client of the imagine socket."""

    socket: AsyncWebSocket

    async def say(self, content: dict[str, Any]) -> None:
        """Send one conversation item."""
        item = {"type": "message", "content": [content]}
        message = {"type": "conversation.item.create", "timestamp": 1, "item": item}
        await self.socket.send_str(orjson.dumps(message).decode())

    async def ask(self, text: str, **properties: Any) -> None:
        """Send a prompt."""
        await self.say(
            {
                "requestId": "0f8fad5b-d9cb-469f-a165-70867728950e",
                "text": text,
                "type": "input_text",
                "properties": {"section_count": 0, "enable_nsfw": True, "aspect_ratio": "2:3", **properties},
            }
        )

    async def frame(self, within_s: float = 5) -> dict[str, Any]:
        """The next frame."""
        found: dict[str, Any] = orjson.loads(await self.socket.recv_str(timeout=within_s))
        return found

    async def to_the_end(self) -> AsyncGenerator[dict[str, Any]]:
        """All frames until the sandbox closes the socket."""
        while True:
            try:
                yield await self.frame(within_s=3)
            except WebSocketTimeout:
                raise
            except (WebSocketError, CurlError):
                return

    async def until(self, count: int, status: str = "completed") -> list[dict[str, Any]]:
        """All frames up to that many with a status."""
        frames: list[dict[str, Any]] = []
        while sum(frame.get("current_status") == status for frame in frames) < count:
            frames.append(await self.frame())
        return frames


@asynccontextmanager
async def painter(real: Caller, account: str = ACCOUNT) -> AsyncGenerator[Painter]:
    """A socket of an account."""
    url = str(real.http.base_url).replace("http", "ws").rstrip("/") + "/ws/imagine/listen"
    async with AsyncSession[Any]() as session:
        socket = await session.ws_connect(url, headers=cookies_of(account))
        try:
            yield Painter(socket)
        finally:
            await socket.close()
