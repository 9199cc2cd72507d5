"""Pictures, sounds, files and videos in chats: how they are sent, and where to find what became of them."""

import os
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image

from tests.servers import Sandbox

CHATS: Final = "/rest/app-chat/conversations/new"
UPLOAD: Final = "/rest/app-chat/upload-file"
POST: Final = "/rest/media/post/create"
UPSCALE: Final = "/rest/media/video/upscale"
DOWNLOAD: Final = "/users/"
"""Grok's paths, see protocol notes, section 0.1."""
FILES_URL: Final = "https://media.example.com"
"""What the links of the gateway `elsewhere` begin with."""
DOWNLOAD_LIMIT_S: Final = 0.8
"""How long the gateway `lossy` waits for a file."""
VALUES: Final = {"image_url": "url", "input_audio": "data", "file": "file_data"}
"""The field of each block that holds the media."""
TINY: Final = (8, 8)
SHOWN: Final = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
"""A picture in Markdown: its text and its address."""
Calls = Callable[[str], list[dict[str, Any]]]
"""Finds what Grok was asked under a path since the test began."""


@dataclass(frozen=True)
class Stored:
    """A file that Grok keeps for an account."""

    name: str
    mime: str
    content: bytes


def picture(form: str = "PNG", colour: tuple[int, ...] = (), size: tuple[int, int] = TINY) -> bytes:
    """A real picture, in a colour that no other test has unless one is given."""
    target = BytesIO()
    Image.new("RGB", size, colour or tuple(os.urandom(3))).save(target, form)
    return target.getvalue()


def data_uri(content: bytes, mime: str = "image/png") -> str:
    """The bytes as a URI."""
    return f"data:{mime};base64,{b64encode(content).decode()}"


def text(words: str) -> dict[str, Any]:
    """A block of text."""
    return {"type": "text", "text": words}


def attach(kind: str, value: Any) -> dict[str, Any]:
    """A block of media."""
    return {"type": kind, kind: {VALUES[kind]: value}}


def image(content: bytes) -> dict[str, Any]:
    """A block with a PNG."""
    return attach("image_url", data_uri(content))


def assets(sandbox: Sandbox, account: str) -> dict[str, dict[str, Any]]:
    """What Grok keeps for an account, by id."""
    answer = sandbox.http.get("/rest/assets?pageSize=100", headers=cookies(account)).raise_for_status()
    return {asset["assetId"]: asset for asset in answer.json()["assets"]}


def attached(sandbox: Sandbox, asked: dict[str, Any]) -> list[Stored]:
    """The files that a chat request refers to, in its order; they must be the account's own."""
    account = asked["account"]
    known = assets(sandbox, account)
    return [_stored(sandbox, account, known[asset_id]) for asset_id in asked["body"]["fileAttachments"]]


def links_of(answer: str) -> list[str]:
    """The addresses of the pictures that a text shows, in its order."""
    return [link for _, link in SHOWN.findall(answer)]


def cookies(account: str) -> dict[str, str]:
    """The header that shows who asks Grok."""
    return {"Cookie": f"sso={account}; sso-rw={account}"}


def opened(content: bytes) -> Image.Image:
    """A picture, which must be a real one to its last byte."""
    found = Image.open(BytesIO(content))
    found.load()
    return found


def _stored(sandbox: Sandbox, account: str, asset: dict[str, Any]) -> Stored:
    answer = sandbox.http.get(f"/{asset['filePath']}", headers=cookies(account)).raise_for_status()
    return Stored(asset["fileName"], asset["contentType"], answer.content)
