"""Pictures over raw HTTP: how to ask for them, what comes back, and what Grok was asked meanwhile."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import httpx
import orjson
from PIL import Image

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, KEYS, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import employ, fresh, operator
from tests.servers import Gateway, Sandbox

GENERATIONS: Final = "/v1/images/generations"
EDITS: Final = "/v1/images/edits"
DRAW: Final = "grok-imagine-1.0"
EDIT: Final = "grok-imagine-1.0-edit"
FORMS: Final = {"url": "url", "b64_json": "b64_json", "base64": "b64_json"}
"""The values of `response_format`, and the field that a picture then has."""
RATIOS: Final = {
    "1024x1024": "1:1",
    "1024x1792": "2:3",
    "1280x720": "16:9",
    "1792x1024": "3:2",
    "720x1280": "9:16",
    "1:1": "1:1",
    "2:3": "2:3",
    "3:2": "3:2",
    "9:16": "9:16",
    "16:9": "16:9",
}
"""Every spelling of a size, and the aspect ratio that it means."""
BAD_N: Final = "n must be between 1 and 10"
BAD_SIZE: Final = "size must be one of ['1024x1024', '1024x1792', '1280x720', '1792x1024', '720x1280']"
BAD_FORM: Final = "response_format must be one of b64_json, base64, url"
BAD_STREAM_N: Final = "Streaming is only supported when n=1 or n=2"
NO_PROMPT: Final = "Prompt cannot be empty"
NO_STREAM: Final = "stream must be a boolean"

SOCKET: Final = "/ws/imagine/listen"
UPLOAD: Final = "/rest/app-chat/upload-file"
POST: Final = "/rest/media/post/create"
"""Where Grok is asked."""
OWN_URL: Final = "https://pictures.example.com/grok"
PARTIAL: Final = "image_generation.partial_image"
COMPLETED: Final = "image_generation.completed"
STAGES: Final = ["preview", "medium", "final"]
Event = dict[str, Any]
FilePart = tuple[str, tuple[str, Any, str]]


def hasty_gateway(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose operator has changed all that pictures read, and that gives up soon; see `staff`."""
    settings = {
        **KEYS,
        **QUICK_RETRIES,
        "app.app_url": OWN_URL,
        "app.image_format": "base64",
        "app.stream": "false",
        "image.nsfw": "true",
        "image.timeout": "1",
        "image.stream_timeout": "1",
        "image.final_timeout": "1",
        "image.blocked_grace_seconds": "0.5",
        "image.blocked_parallel_attempts": "2",
        "public.requests_per_minute": "100000",
        "public.max_runs_per_address": "1000",
        "token.auto_refresh": "false",
        "token.fail_threshold": "100",
    }
    return make_gateway({Pool.BASIC: ("sandbox-basic-hasty",)}, settings)


def staff(gateway: Gateway, *words: str) -> list[str]:
    """Give the gateway an account for each of the words, "" for one that is in order, and no others."""
    endings = [f"-{ENDLESS}-@{word}" if word else f"-{ENDLESS}" for word in words]
    tokens = fresh(*endings) if endings else []
    with operator(gateway, "/v1/admin") as admin:
        employ(admin, tokens)
    return tokens


def draw(gateway: Gateway, prompt: Any, **fields: Any) -> httpx.Response:
    """Ask for pictures and wait for all of the answer."""
    return gateway.http.post(GENERATIONS, json={"model": DRAW, "prompt": prompt, **fields})


def edit(gateway: Gateway, prompt: str, *files: FilePart, **fields: str) -> httpx.Response:
    """Have these files changed, one red picture if there are none, and wait for all of the answer."""
    body = {"model": EDIT, "prompt": prompt, **fields}
    return gateway.http.post(EDITS, data=body, files=files or (upload_of(picture("red")),))


def edit_json(gateway: Gateway, prompt: str, image: Any, **fields: Any) -> httpx.Response:
    """The same as JSON."""
    return gateway.http.post(EDITS, json={"model": EDIT, "prompt": prompt, "image": image, **fields})


def upload_of(content: Any, *, name: str = "cat.png", mime: str = "image/png", field: str = "image") -> FilePart:
    """A file of a form."""
    return field, (name, content, mime)


def picture(colour: str, form: str = "PNG", size: tuple[int, int] = (300, 200)) -> bytes:
    """A picture of one colour."""
    target = BytesIO()
    Image.new("RGB", size, colour).save(target, form)
    return target.getvalue()


def data_uri(content: bytes, mime: str = "image/png") -> str:
    """The content as a data URI."""
    return f"data:{mime};base64,{b64encode(content).decode()}"


def opened(content: bytes) -> Image.Image:
    """Decode all of a picture; it must be one."""
    image = Image.open(BytesIO(content), formats=("JPEG", "PNG"))
    image.load()
    return image


def shape_of(content: bytes) -> float:
    """The width of a picture in heights."""
    image = opened(content)
    return image.width / image.height


def ratio(text: str) -> float:
    """The number that an aspect ratio such as `3:2` stands for."""
    width, height = text.split(":")
    return int(width) / int(height)


def content_of(gateway: Gateway, item: dict[str, Any]) -> bytes:
    """The content of a picture in an answer or an event; a link is followed without a key."""
    if "url" in item:
        assert "b64_json" not in item
        return file_of(gateway, item["url"]).content
    return b64decode(item["b64_json"], validate=True)


def file_of(gateway: Gateway, url: str) -> httpx.Response:
    """The file behind a link of ours, as anybody gets it."""
    assert "/v1/files/image/" in url
    return gateway.stranger.get(url.replace(OWN_URL, gateway.url)).raise_for_status()


def pictures_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The pictures of a good and complete answer."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() == {"created", "data", "usage"}
    assert isinstance(body["created"], int)
    check_usage(body["usage"])
    items: list[dict[str, Any]] = body["data"]
    return items


def check_usage(usage: dict[str, Any]) -> None:
    """The counts are there, they add up, and none that must count something is zero."""
    assert usage.keys() == {"total_tokens", "input_tokens", "output_tokens", "input_tokens_details"}
    details = usage["input_tokens_details"]
    assert details.keys() == {"text_tokens", "image_tokens"}
    assert usage["input_tokens"] == details["text_tokens"] + details["image_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert min(usage["output_tokens"], details["text_tokens"]) > 0
    assert details["image_tokens"] >= 0


def image_events(answer: httpx.Response) -> list[Event]:
    """The events of a stream, whose names must agree with their types, and which has no `[DONE]`."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("\n\n")
    return [_event(block) for block in answer.text.removesuffix("\n\n").split("\n\n") if not block.startswith(":")]


def _event(block: str) -> Event:
    name, data = block.split("\n")
    event: Event = orjson.loads(data.removeprefix("data: "))
    assert name == f"event: {event.get('type', 'error')}"
    return event


def failure_of(events: list[Event]) -> dict[str, Any]:
    """The error that a stream ends with, after something was shown and nothing was completed."""
    *shown, last = events
    assert {event["type"] for event in shown} == {PARTIAL}
    assert last.keys() - {"type"} == {"error"}
    error: dict[str, Any] = last["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return error


@dataclass(frozen=True)
class Watch:
    """What Grok has been asked since a moment."""

    sandbox: Sandbox
    since: int

    def calls(self, path: str) -> list[dict[str, Any]]:
        """The requests to this path, oldest first."""
        entries = self.sandbox.http.get("/sandbox/requests").raise_for_status().json()
        return [entry for entry in entries if entry["id"] > self.since and entry["path"] == path]


def watch_from_now(sandbox: Sandbox) -> Watch:
    """Begin to watch."""
    return Watch(sandbox, sandbox.state()["total_requests"])


def drawn(sandbox: Sandbox, words: str) -> list[dict[str, Any]]:
    """The sockets on which a prompt with these words was sent, oldest first."""
    entries = Watch(sandbox, 0).calls(SOCKET)
    return [entry for entry in entries if any(words in prompt["text"] for prompt in prompts_of(entry))]


def prompts_of(socket: dict[str, Any]) -> list[dict[str, Any]]:
    """The prompts sent on a socket, with their properties."""
    parts = [message["item"]["content"][0] for message in socket["body"] or ()]
    return [part for part in parts if part["type"] == "input_text"]


def edit_config(entry: dict[str, Any]) -> dict[str, Any]:
    """What an edit at Grok refers to."""
    override = entry["body"]["responseMetadata"]["modelConfigOverride"]
    config: dict[str, Any] = override["modelMap"]["imageEditModelConfig"]
    return config


def sources_of(sandbox: Sandbox, entry: dict[str, Any]) -> list[bytes]:
    """The content of the pictures that an edit at Grok refers to, in its order."""
    cookie = f"sso={entry['account']}; sso-rw={entry['account']}"
    paths = [httpx.URL(url).path for url in edit_config(entry)["imageReferences"]]
    return [sandbox.http.get(path, headers={"cookie": cookie}).raise_for_status().content for path in paths]
