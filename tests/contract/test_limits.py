"""Every limit that docs/limits.md names: what is just beyond it is refused as the page says."""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import Request

from grok_app import connections, server
from grok_app.access import room
from grok_app.api import body as bodies
from grok_app.api import sse
from grok_app.api.errors import error_response
from grok_app.api.form import read_form
from grok_app.api.openai.images import _FORM_BYTES
from grok_app.api.public import imagine_socket
from grok_app.env import Env
from grok_app.errors import GatewayError
from grok_app.runtime import opening
from grok_app.settings import DEFINITIONS
from grok_app.upstream.grokweb import chat, edit, imagine, video
from grok_app.video import service as films
from tests.contract.admin import operator
from tests.contract.public import FILM_START, KEY, PUBLIC, START, STOP, WS
from tests.contract.websocket import connected
from tests.contract.wire import CHAT, error_of
from tests.servers import Gateway

PAGE: Final = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
KB, MB = 1 << 10, 1 << 20
IMAGES, EDITS = "/v1/images/generations", "/v1/images/edits"
ADMIN: Final = "/v1/admin"
EDIT: Final = {"prompt": "A cat", "model": "grok-imagine-1.0-edit"}
PNG: Final = ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")
Send = Callable[[Gateway], httpx.Response | list[httpx.Response]]


def table(title: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)
    return [row.split(" | ") for row in rows[2:]]


def talk(messages: Any, **fields: Any) -> Send:
    """A chat with these messages."""
    return lambda gateway: gateway.http.post(CHAT, json={"model": "grok-3", "messages": messages, **fields})


def user(content: Any) -> list[dict[str, Any]]:
    """One message."""
    return [{"role": "user", "content": content}]


def to(*paths: str, size: int, prefix: bytes = b"") -> Send:
    """A body of that size and a byte more, to each of these routes."""

    def send(gateway: Gateway) -> list[httpx.Response]:
        content = prefix + b" " * (size + 1 - len(prefix))
        return [ask_with_all_keys(gateway, path, content=content) for path in paths]

    return send


def ask_with_all_keys(gateway: Gateway, path: str, method: str = "POST", **given: Any) -> httpx.Response:
    """Ask with the key that the route wants."""
    http = gateway.http
    if path.startswith(ADMIN):
        http = operator(gateway, "")
    elif path.startswith(PUBLIC):
        http = httpx.Client(base_url=gateway.url, headers=KEY, timeout=15)
    try:
        return http.request(method, path, **given)
    finally:
        if http is not gateway.http:
            http.close()


def admin(path: str, method: str = "POST", **given: Any) -> Send:
    """A request of the operator's."""
    return lambda gateway: ask_with_all_keys(gateway, f"{ADMIN}{path}", method, **given)


def public(path: str, **body: Any) -> Send:
    """A request of a visitor's."""
    return lambda gateway: ask_with_all_keys(gateway, path, json=body)


def form(files: list[Any], **fields: str) -> Send:
    """An edit as a form."""
    return lambda gateway: gateway.http.post(EDITS, data={**EDIT, **fields}, files=files)


def raw(head: bytes) -> Send:
    """A request that no client of ours would write."""

    def send(gateway: Gateway) -> httpx.Response:
        url = httpx.URL(gateway.url)
        with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n" + head + b"\r\n")
            answer = b"".join(iter(lambda: connection.recv(KB), b""))
        return httpx.Response(int(answer.split()[1]), content=answer.partition(b"\r\n\r\n")[2])

    return send


def big_form(_gateway: Gateway) -> httpx.Response:
    """A form that goes on behind its end; read here, since the way to a server takes so much of it seconds."""
    end, junk = b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--cut--\r\n', b" " * (8 * MB)
    pieces = iter([end, *[junk] * 101])

    async def receive() -> Any:
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def read() -> httpx.Response:
        headers = [(b"content-type", b"multipart/form-data; boundary=cut")]
        with ExitStack() as held:
            try:
                await read_form(
                    Request({"type": "http", "headers": headers}, receive),
                    held,
                    most_files=1,
                    limit_bytes=_FORM_BYTES,
                )
            except GatewayError as error:
                answer = error_response(error)
        return httpx.Response(
            answer.status_code, headers={**answer.headers, "x-request-id": "none"}, content=bytes(answer.body)
        )

    return asyncio.run(read())


def attached(size: int) -> list[dict[str, Any]]:
    """A message with a picture of that size."""
    payload = "A" * (-(-size // 3) * 4)
    return user([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{payload}"}}])


SMALL: Final = [
    IMAGES,
    START,
    STOP,
    f"{PUBLIC}/video/stop",
    *(f"{ADMIN}/{path}" for path in ("config", "cache/clear", "cache/item/delete")),
]


def deep(gateway: Gateway) -> list[httpx.Response]:
    """Bodies that are nested a thousand levels, and a hundred thousand, to all kinds of readers."""
    nested = [b'{"a":' * count + b"1" + b"}" * count for count in (1_000, 100_000)]
    nested += [b'{"messages":' + b"[" * count for count in (1_000, 100_000)]
    paths = [CHAT, EDITS, FILM_START, f"{PUBLIC}/voice/token", *SMALL, f"{ADMIN}/tokens/delete"]
    small = [content for content in nested if len(content) < 64 * KB]
    return [
        *(ask_with_all_keys(gateway, path, content=content) for path in paths for content in small),
        *(ask_with_all_keys(gateway, path, content=content) for path in (CHAT, IMAGES) for content in nested),
    ]


BLOCK: Final = {"type": "text", "text": "Hi"}
PICTURE: Final = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
BEYOND: Final[dict[str, tuple[str, Send]]] = {
    "Body with files: a chat, an edit as JSON, a wish for a film": ("100 MB", to(CHAT, size=100 * MB)),
    "Text in it, whatever isn't a large file": ("20 MB", to(CHAT, EDITS, FILM_START, size=20 * MB)),
    "Body of `images/edits` as a form": ("801 MB", big_form),
    "Body with lists of accounts, under `/v1/admin`": ("100 MB", to(f"{ADMIN}/tokens/delete", size=100 * MB)),
    "Body of `public/voice/token`": ("64 KB", to(f"{PUBLIC}/voice/token", size=64 * KB)),
    "Body of `admin/session`": ("10,000 bytes", to(f"{ADMIN}/session", size=10_000)),
    "Any other JSON body": ("1 MB", to(*SMALL, size=MB)),
    "Levels of JSON within each other, about": ("200", deep),
    "Messages of a chat": ("10,000", talk(user("Hi") * 10_001)),
    "Blocks of a message": ("1,000", talk(user([BLOCK] * 1_001))),
    "Attachments of a chat": ("64", talk(user([PICTURE] * 65))),
    "One attachment or picture": ("50 MB", talk(attached(50 * MB + 1))),
    "Pictures of an edit": ("16", form([("image", PNG)] * 17)),
    "Fields of a form": ("64", form([("image", PNG)], **{f"field-{number}": "x" for number in range(63)})),
    "One field of a form": ("1 MB", form([("image", PNG)], user="x" * (MB + 1))),
    "Pictures asked for at once": (
        "10",
        lambda gateway: gateway.http.post(IMAGES, json={"prompt": "A cat", "model": "grok-imagine-1.0", "n": 11}),
    ),
    "Characters of a visitor's prompt": ("16,384", public(START, prompt="x" * 16_385)),
    "Tasks stopped at once": ("1,000", public(STOP, task_ids=["x"] * 1_001)),
    "Characters of a voice's name": ("64", public(f"{PUBLIC}/voice/token", voice="x" * 65)),
    "Accounts named at once": ("100,000", admin("/tokens/delete", json={"tokens": ["x"] * 100_001})),
    "Files on a page of `admin/cache/list`": ("10,000", admin("/cache/list?page_size=10001", "GET")),
    "Characters of a setting": ("4,096", admin("/config", json={"proxy.user_agent": "x" * 4_097})),
    "Items of a setting": ("100", admin("/config", json={"app.filter_tags": ["x"] * 101})),
    "Address and headers": ("64 to 128 KB", raw(b"X-Long: " + b"x" * 128 * KB + b"\r\n")),
    "Headers": ("100", raw(b"".join(b"X-%d: x\r\n" % number for number in range(100)))),
}
"""By row: the limit, and what is just beyond it."""


def as_told(answer: httpx.Response) -> str:
    """An answer in the words of the page."""
    if not answer.content:
        return f"{answer.status_code}, empty, by the server itself"
    error = error_of(answer)
    words = f"{answer.status_code} `{error['code']}`"
    return f"{words}, `{error['param']}`" if error["param"] else words


@pytest.mark.parametrize(("what", "most", "answer"), table("What a request may have"))
def test_a_request_beyond_a_limit_is_refused_as_the_page_says(
    gateway: Gateway, what: str, most: str, answer: str
) -> None:
    """Naming the field where there is one; the gateway goes on."""
    if what == "Characters of a message over `public/imagine/ws`":
        assert most == f"{imagine_socket._MOST_CHARS:,}"
        with connected(gateway, WS, headers=KEY) as peer:
            for text in (" " * (imagine_socket._MOST_CHARS + 1), "[" * 1_000, "[" * 60_000):
                peer.send(text)
                assert f"an `{next(peer)['code']}` event" == answer
        return
    limit, send = BEYOND[what]
    assert limit == most
    answers = send(gateway)
    for told in answers if isinstance(answers, list) else [answers]:
        assert as_told(told) == answer
    assert gateway.stranger.get("/healthz").status_code == 200


def test_no_limit_is_missing_on_the_page() -> None:
    """Every case that is tested is a row."""
    assert BEYOND.keys() < {what for what, *_ in table("What a request may have")}


def test_what_is_within_the_limits_is_taken(gateway: Gateway) -> None:
    """As many messages, blocks and levels as may be."""
    half = user([BLOCK] * 1_000)
    for send in (talk(user("Hi") * 10_000, stream=False), talk(half, stream=False)):
        answer = send(gateway)
        assert isinstance(answer, httpx.Response)
        assert answer.status_code == 200, answer.text
    nested: Any = "Hi"
    for _ in range(190):
        nested = [nested]
    answer = gateway.http.post(CHAT, json={"model": "grok-3", "messages": user("Hi"), "stream": False, "x": nested})
    assert answer.status_code == 200


@pytest.mark.parametrize(("name", "default"), [(row[0], row[1]) for row in table("How much at once")])
def test_the_defaults_are_those_of_the_page(name: str, default: str) -> None:
    """Every row is a setting."""
    assert str(DEFINITIONS[name.strip("`")].default) == default


def test_what_waits_is_as_the_page_says() -> None:
    """Of the section about how much at once: what is no setting."""
    section = PAGE.partition("## How much at once")[2].partition("## How long")[0]
    for words in (
        f"as many again wait up to {opening._WAIT_S:g} s",
        f"as many again wait up to {films._WAIT_S:g} s",
        f"{opening._WAITING_DRAWINGS} wishes for pictures and {opening._WAITING_FILMS} for films",
        f"A process serves {server.CONNECTIONS:,} connections",
    ):
        assert words in section
    assert room.SHORTEST_LINE == 10


def times() -> Iterator[tuple[str, float]]:
    """How long things may take, in the order of the page; settings aside."""
    yield "A request's head, from the connection or the last answer on it", connections.HEAD_S
    yield "Silence within a body", bodies._PART_LIMIT_S
    yield "A whole body", bodies._TOTAL_LIMIT_S
    yield "A client that takes nothing of what was sent (Linux)", connections.UNREAD_S
    yield "One event of a stream that a client takes", sse.STALLED_S
    yield "Silence on `public/imagine/ws` without a run", imagine_socket.IDLE_S
    yield "A whole answer of Grok's to a chat", chat._TOTAL_S
    yield "Pictures of Grok's", max(edit._TOTAL_S, imagine._TOTAL_S)
    yield "A film of Grok's", video._TOTAL_S
    last = "Answers under way when the server stops, unless `GROK_APP_SHUTDOWN_GRACE_S` says otherwise"
    yield last, Env().shutdown_grace_s


def test_the_times_are_those_of_the_page() -> None:
    """Each is a number of seconds of ours, or a setting."""
    rows = {what: longest for what, longest, _ in table("How long")}
    settings = {what: longest for what, longest in rows.items() if longest.startswith("`")}
    assert all(longest.strip("`") in DEFINITIONS for longest in settings.values())
    assert {what: f"{seconds:g} s" for what, seconds in times()} == {
        what: longest for what, longest in rows.items() if what not in settings
    }
