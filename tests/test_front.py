"""The front's rules, with two tiny ASGI apps behind it that say who was asked."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from grok_app.front import Front, is_api_path, page_path, page_policies
from grok_app.page_policy import content_security_policy
from grok_app.stopping import SERVER_STOPS, Scope

POLICIES = {"/chat": "chat's policy", "/404": "policy of the rest"}


def says(name: str, *, status: int = 200) -> Any:
    """An ASGI app that answers with its name and the path that it was given."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": f"{name} {scope['path']}".encode()})

    return app


class Studio:
    """The switch of the studio."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open

    async def __call__(self) -> bool:
        """Whether it is on."""
        return self.is_open


async def has_a_session(scope: Scope) -> bool:
    """Whether the request brings the console's cookie."""
    return (b"cookie", b"session") in scope["headers"]


OPEN, CLOSED = Studio(), Studio(is_open=False)
VOICE = "wss://voice.example"


def client(
    studio: Studio = OPEN, *, page_status: int = 200, policies: Mapping[str, str] = POLICIES
) -> httpx.AsyncClient:
    """A client of a front whose studio is open or closed."""
    front = front_of(says("pages", status=page_status), studio, policies)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url="http://gateway")


def front_of(pages: Any, studio: Studio = OPEN, policies: Mapping[str, str] = POLICIES) -> Front:
    """A front before these pages."""
    return Front(
        pages=pages,
        api=says("api"),
        routes=("/chat", "/login", "/admin", "/admin/login", "/admin/token"),
        is_studio_open=studio,
        is_operator=has_a_session,
        policies=policies,
        voice_server=lambda: VOICE,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/chat/completions",
        "/v1/no/such/route",
        "/api/v1/admin/config",
        "/grok/v1/models",
        "/static/public/x.js",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/docs/assets/swagger.css",
        "/openapi.json",
    ],
)
async def test_the_api_answers_its_own_paths(path: str) -> None:
    """Whatever lies under an API prefix goes to the API untouched, unknown routes included: they are JSON errors."""
    async with client(CLOSED) as front:
        answer = await front.get(path)
    assert answer.text == f"api {path}"
    assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize("path", ["/v10", "/V1/models", "/healthz/x", "/apiv1", "/docsx", "//v1/models"])
def test_api_paths_are_exact(path: str) -> None:
    """A path that only resembles an API path is a page's, where it is a 404."""
    assert not is_api_path(path)


@pytest.mark.parametrize(("is_open", "target"), [(True, "/login"), (False, "/admin/login")], ids=["open", "closed"])
async def test_the_start_leads_to_a_sign_in(is_open: bool, target: str) -> None:
    """`/` redirects with 307 to the studio's sign-in, or to the operator's when the studio is off."""
    async with client(Studio(is_open=is_open)) as front:
        answer = await front.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, target)


@pytest.mark.parametrize(
    "path",
    [
        "/chat",
        "/chat/",
        "/chat.html",
        "/chat/index.html",
        "//chat",
        "/./chat",
        "/x/../chat",
        "/%63hat",
        "/CHAT",
        "/chat.data",
        "/chat.html.gz",
        "/login",
        "/imagine",
        "/video",
        "/voice",
    ],
)
async def test_a_closed_studio_has_no_pages(path: str) -> None:
    """With the studio off its pages are a plain 404, whatever the spelling."""
    async with client(CLOSED) as front:
        answer = await front.get(f"http://gateway{path}")  # whole, since `//chat` alone would name a host
    assert (answer.status_code, answer.text) == (404, "Not Found")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_the_studio_can_be_opened_while_serving() -> None:
    """Each request asks anew whether the studio is open."""
    studio = Studio(is_open=False)
    async with client(studio) as front:
        assert (await front.get("/chat")).status_code == 404
        studio.is_open = True
        assert (await front.get("/chat")).status_code == 200


@pytest.mark.parametrize("path", ["/chat/index.html", "//chat"])
async def test_another_spelling_leads_to_the_page(path: str) -> None:
    """A page's code goes by the address, and would find no page under these."""
    async with client() as front:
        answer = await front.get(f"http://gateway{path}")  # whole, since `//chat` alone would name a host
    assert (answer.status_code, answer.headers["location"]) == (307, "/chat")


@pytest.mark.parametrize("path", ["/chat", "/chat/", "/chat.html"])
async def test_a_page_is_served_without_a_redirect(path: str) -> None:
    """Reflex gets the spelling that it answers directly: its own redirect would name a wrong host behind a proxy."""
    async with client() as front:
        answer = await front.get(path)
    assert (answer.status_code, answer.text) == (200, "pages /chat/")


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/token", "/admin/config.html", "/admin/no/such"])
async def test_console_pages_lead_to_the_operators_sign_in(path: str) -> None:
    """There is no console yet: each of its pages redirects to the sign-in."""
    async with client() as front:
        answer = await front.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, "/admin/login")


@pytest.mark.parametrize(
    ("path", "page"),
    [("/admin", "/admin/"), ("/admin/", "/admin/"), ("/admin/token.html", "/admin/token/"), ("/admin/x", "/admin/x")],
)
async def test_console_pages_are_there_with_a_session(path: str, page: str) -> None:
    """The server lets them through, unknown ones to the page that says so."""
    async with client(OPEN) as front:
        assert (await front.get(path, headers={"cookie": "session"})).text == f"pages {page}"


@pytest.mark.parametrize("path", ["/admin/login", "/admin/login.html", "/admin/login/"])
async def test_the_operators_sign_in_is_always_there(path: str) -> None:
    """Also with the studio off, and also as `.html`."""
    async with client(CLOSED) as front:
        assert (await front.get(path)).text == "pages /admin/login/"


@pytest.mark.parametrize(
    ("path", "policy"), [("/chat", "chat's policy"), ("/nowhere", "policy of the rest")], ids=["known", "unknown"]
)
async def test_pages_carry_their_policy(path: str, policy: str) -> None:
    """Every page has its own Content-Security-Policy and the other security headers."""
    async with client() as front:
        headers = (await front.get(path)).headers
    assert headers["content-security-policy"] == policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


async def test_hashed_files_are_kept_forever() -> None:
    """A file whose name changes with its content need not be asked for again; a page must be."""
    async with client() as front:
        assert "immutable" in (await front.get("/assets/chat-CK5Jy.js")).headers["cache-control"]
        assert (await front.get("/chat")).headers["cache-control"] == "no-cache"


async def test_a_missing_file_is_not_kept() -> None:
    """A 404 under /assets may be there tomorrow."""
    async with client(page_status=404) as front:
        assert (await front.get("/assets/gone.js")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_lifespan_and_sockets_belong_to_the_pages(kind: str) -> None:
    """Reflex runs the lifespan and owns the socket of its pages."""
    seen: list[str] = []

    async def pages(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    front = Front(
        pages=pages,
        api=says("api"),
        routes=(),
        is_studio_open=OPEN,
        is_operator=has_a_session,
        policies={},
        voice_server=lambda: VOICE,
    )
    await front({"type": kind, "path": "/_event"}, None, None)  # type: ignore[arg-type] # not used
    assert seen == [kind]


@pytest.mark.parametrize(
    ("path", "page"),
    [("/", "/"), ("", "/"), ("/index.html", "/"), ("/a/b/", "/a/b"), ("/../..", "/"), ("//", "/")],
)
def test_a_page_has_one_path(path: str, page: str) -> None:
    """All spellings of a page's path are one."""
    assert page_path(path) == page


def test_inline_scripts_are_allowed_by_their_hash() -> None:
    """A page's own inline scripts run, each named by its SHA-256; no other does, and nothing is evaluated."""
    policy = content_security_policy('<script src="/a.js"></script><script type="module">alert(1)</script>')
    # printf 'alert(1)' | openssl dgst -sha256 -binary | base64
    assert "script-src 'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy


def test_every_built_page_has_a_policy(tmp_path: Path) -> None:
    """Policies are found by the path at which the page is served."""
    (tmp_path / "admin" / "login").mkdir(parents=True)
    (tmp_path / "admin" / "login" / "index.html").write_text("<script>one</script>")
    (tmp_path / "404.html").write_text("<script>two</script>")
    policies = page_policies(tmp_path)
    assert set(policies) == {"/admin/login", "/404"}
    assert policies["/404"] != policies["/admin/login"]


async def test_only_the_studio_may_connect_to_the_voice_server() -> None:
    """By its socket, and over HTTP, where it says why it refused one."""
    async with client(policies={}) as browser:
        studio, console = await browser.get("/chat"), await browser.get("/admin/login")
    assert f"connect-src 'self' {VOICE} https://voice.example;" in studio.headers["content-security-policy"]
    assert "voice.example" not in console.headers["content-security-policy"]


async def test_a_socket_of_the_pages_ends_with_the_server() -> None:
    """What comes before passes; then both sides are told, and nobody listens to the client any more."""
    stopping, said, sent = asyncio.Event(), asyncio.Queue[Scope](), list[Scope]()
    heard: list[Scope] = []

    async def pages(_scope: Any, receive: Any, _send: Any) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            heard.append(message)
            stopping.set()
        heard.append(message)

    async def send(message: Scope) -> None:
        sent.append(message)
        said.put_nowait({"type": "websocket.receive", "text": "too late"})
        said.put_nowait({"type": "websocket.disconnect", "code": 1001})

    said.put_nowait({"type": "websocket.connect"})
    scope = {"type": "websocket", "path": "/_event", "headers": [], SERVER_STOPS: stopping}
    await front_of(pages)(scope, said.get, send)

    assert heard == [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]
    assert sent == [{"type": "websocket.close", "code": 1001}]
    assert said.empty()
