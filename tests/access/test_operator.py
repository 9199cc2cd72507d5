"""The operator at the door: keys, the console's session, and pages of other sites. Source: API contract, section 2."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI

from grok_app.access import SESSION_COOKIE, SESSION_S, Sessions
from grok_app.api import deps
from grok_app.api.admin.session import router
from grok_app.api.deps import require_app_key, require_app_key_or_query
from grok_app.api.errors import add_error_handlers
from grok_app.db import Database, Vault
from tests.access.fixed import OPERATOR_KEY, Clock, FixedSettings, access_to, fixed

PEER = "192.0.2.1"
PROXY = "10.0.0.1"
HOST = "gateway.example"
FRIEND = "https://friend.example"
RIGHT = {"Authorization": f"Bearer {OPERATOR_KEY}"}
WRONG = {"Authorization": "Bearer wrong"}

Browse = Callable[..., httpx.AsyncClient]
Show = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def settings() -> FixedSettings:
    """Settings with an operator's key."""
    return fixed(app_key=OPERATOR_KEY)


@pytest.fixture
async def browse(
    database: Database, vault: Vault, settings: FixedSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Browse]:
    """Browsers at a gateway that has the session's routes and two guarded ones, by their address."""
    access = access_to(settings, clock)
    sessions = Sessions(database, vault, settings, access, clock_ms=clock.ms)  # type: ignore[arg-type] # a look-alike
    env = SimpleNamespace(trusted_proxies=(ip_network("10.0.0.0/8"),), cors_origins=(FRIEND,))
    services = SimpleNamespace(env=env, settings=settings, access=access, sessions=sessions)
    monkeypatch.setattr(deps, "current", lambda: services)
    clients = []

    def open_browser(peer: str = PEER, **given: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(guarded_app(), client=(peer, 50_000))
        clients.append(httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", **given))
        return clients[-1]

    yield open_browser
    for client in clients:
        await client.aclose()


def guarded_app() -> FastAPI:
    """An app with two routes for the operator alone."""
    app = FastAPI()
    app.include_router(router)
    add_error_handlers(app)

    @app.api_route("/guarded", methods=["GET", "POST"], dependencies=[Depends(require_app_key)])
    async def guarded() -> None:
        """Say nothing."""

    @app.get("/stream", dependencies=[Depends(require_app_key_or_query)])
    async def stream() -> None:
        """Say nothing."""

    return app


async def sign_in(client: httpx.AsyncClient, key: str = OPERATOR_KEY, **given: Any) -> httpx.Response:
    """Show the operator's key."""
    return await client.post("/session", json={"app_key": key}, **given)


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of an error."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


async def test_a_session_opens_what_the_key_opens(browse: Browse, clock: Clock) -> None:
    """Signed in once, the browser's cookie is enough; signed out, a copy of it is worth nothing."""
    client = browse()
    begun = await sign_in(client)
    assert begun.json() == {"status": "success", "expires_at": clock.ms() + SESSION_S * 1000}
    assert (await client.get("/session")).json() == begun.json()
    for path in ("/guarded", "/stream"):
        assert (await client.get(path)).status_code == 200
    copy = browse(cookies=dict(client.cookies))
    ended = await client.delete("/session")
    assert ended.json() == {"status": "success"}
    assert not client.cookies
    for holder, said in ((client, "Missing authentication token"), (copy, "Invalid authentication token")):
        for path in ("/session", "/guarded", "/stream"):
            assert error_of(await holder.get(path)) == (401, "invalid_api_key", said)


@pytest.mark.parametrize(
    ("peer", "headers", "is_secure"),
    [
        (PEER, {}, False),
        (PEER, {"X-Forwarded-Proto": "https"}, False),
        (PROXY, {"X-Forwarded-Proto": "https"}, True),
    ],
    ids=["plain", "a claim", "https at the proxy"],
)
async def test_the_cookie_is_kept_from_scripts_and_other_sites(
    browse: Browse, peer: str, headers: dict[str, str], is_secure: bool
) -> None:
    """HttpOnly, SameSite=Lax, 12 hours, every page; over https only where the browser came by https."""
    answer = await sign_in(browse(peer), headers=headers)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    _, *rules = rest.split("; ")
    expected = {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"} | ({"Secure"} if is_secure else set())
    assert (name, set(rules)) == (SESSION_COOKIE, expected)


async def test_a_key_that_is_shown_decides(browse: Browse) -> None:
    """A wrong key is refused whatever cookie comes with it; a right one needs no cookie, or one that is any good."""
    client = browse()
    await sign_in(client)
    assert (await client.get("/guarded", headers=WRONG)).status_code == 401
    assert (await client.get("/stream?app_key=wrong")).status_code == 401
    stale = browse(cookies={SESSION_COOKIE: "stale"})
    assert (await stale.get("/guarded")).status_code == 401
    assert (await stale.get("/guarded", headers=RIGHT)).status_code == 200


async def test_only_the_stream_takes_the_key_in_its_query(browse: Browse) -> None:
    """An EventSource can't send headers; a URL is no place for a key otherwise."""
    client = browse()
    query = {"app_key": OPERATOR_KEY}
    assert (await client.get("/stream", params=query)).status_code == 200
    assert (await client.get("/stream", headers=RIGHT)).status_code == 200
    assert (await client.get("/guarded", params=query)).status_code == 401
    assert (await client.get("/stream", params={"app_key": "wrong"})).status_code == 401
    assert (await client.get("/stream", params={"app_key": ""})).status_code == 401


@pytest.mark.parametrize("way", ["session", "bearer", "query"])
async def test_guessing_is_held_up_whatever_the_way(browse: Browse, clock: Clock, way: str) -> None:
    """Wrong keys are counted together wherever they are shown; then every way is closed, to this address alone."""
    client, neighbour = browse(), browse("192.0.2.2")
    ways: dict[str, Show] = {
        "session": sign_in,
        "bearer": lambda who, key: who.get("/guarded", headers={"Authorization": f"Bearer {key}"}),
        "query": lambda who, key: who.get("/stream", params={"app_key": key}),
    }
    for attempt in (*ways.values(), ways[way], ways[way]):
        refused = await attempt(client, "wrong")
        assert error_of(refused) == (401, "invalid_api_key", "Invalid authentication token")
        assert refused.headers["www-authenticate"] == "Bearer"
    for attempt in ways.values():
        waiting = await attempt(client, OPERATOR_KEY)
        assert error_of(waiting) == (429, "too_many_attempts", "Too many attempts. Please wait 2 seconds.")
        assert waiting.headers["retry-after"] == "2"
        assert (await attempt(neighbour, OPERATOR_KEY)).status_code == 200
    clock.now_s += 2
    assert (await ways[way](client, OPERATOR_KEY)).status_code == 200


async def test_a_session_goes_on_while_its_address_waits(browse: Browse) -> None:
    """Somebody who guesses behind the same address locks no operator out of the console."""
    client = browse()
    await sign_in(client)
    for _ in range(5):
        await client.get("/guarded", headers=WRONG)
    assert (await client.get("/guarded", headers=RIGHT)).status_code == 429
    assert (await client.get("/guarded")).status_code == 200


async def test_behind_a_proxy_each_client_waits_for_itself(browse: Browse) -> None:
    """A trusted proxy's word counts; a header that the client made up gives no further attempts."""
    through = browse(PROXY)
    for number in range(5):
        await through.get("/guarded", headers={**WRONG, "X-Forwarded-For": f"1.1.1.{number}, 203.0.113.7"})
    for client, expected in (("203.0.113.7", 429), ("203.0.113.8", 200)):
        assert (await through.get("/guarded", headers={**RIGHT, "X-Forwarded-For": client})).status_code == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"Origin": f"http://{HOST}"}, 200),
        ({"Origin": f"http://{HOST.upper()}"}, 200),
        ({"Origin": "https://changed-by-a-proxy.example", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": f"http://{HOST}:81"}, 403),
        ({"Origin": f"http://{HOST}.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[bad"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": f"http://{HOST}"}, 403),
    ],
    ids=[
        *("no browser", "own origin", "upper case", "renamed host", "typed", "named in the environment"),
        *("foreign", "other port", "longer name", "null", "no URL", "cross-site", "same-site"),
    ],
)
async def test_other_sites_change_nothing_by_the_cookie(browse: Browse, headers: dict[str, str], expected: int) -> None:
    """A page of another site can't act in the operator's name; reading and keys are not concerned."""
    client = browse()
    await sign_in(client)
    answers = [await client.post("/guarded", headers=headers), await client.delete("/session", headers=headers)]
    assert [answer.status_code for answer in answers] == [expected] * 2
    if expected == 403:
        assert error_of(answers[0]) == (403, "cross_site", "This request comes from another site")
        assert (await client.get("/guarded", headers=headers)).status_code == 200
    assert (await client.post("/guarded", headers={**headers, **RIGHT})).status_code == 200


async def test_other_sites_cannot_make_an_address_wait(browse: Browse) -> None:
    """A page that posts wrong keys from the operator's browser is not heard at all."""
    client = browse()
    for _ in range(9):
        answer = await sign_in(client, "wrong", headers={"Origin": "https://evil.example"})
        assert error_of(answer)[:2] == (403, "cross_site")
    assert (await sign_in(client)).status_code == 200


async def test_without_an_operators_key_everything_is_closed(browse: Browse, settings: FixedSettings) -> None:
    """No key is right, and a session from before is none."""
    client = browse()
    await sign_in(client)
    settings.change(app_key="")
    stranger = browse()
    for answer in (
        await client.get("/guarded"),
        await client.get("/session"),
        await stranger.get("/guarded"),
        await stranger.get("/guarded", headers=RIGHT),
        await sign_in(stranger),
    ):
        assert error_of(answer) == (401, "invalid_api_key", "App key is not configured")


@pytest.mark.parametrize(
    ("content", "param", "code"),
    [
        (b"no JSON", "body", "json_invalid"),
        (b'{"app_key":"\\ud800"}', "body", "json_invalid"),
        (b"{}", "app_key", "missing"),
        (b'{"app_key":["secret-in-a-list"]}', "app_key", "string_type"),
    ],
    ids=["no JSON", "half a character", "no key", "no text"],
)
async def test_a_body_that_is_none_is_named(browse: Browse, content: bytes, param: str, code: str) -> None:
    """The error says which field, never what stood there."""
    answer = await browse().post("/session", content=content)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == (param, code)
    assert "secret" not in answer.text


async def test_an_empty_key_is_a_missing_one(browse: Browse) -> None:
    """Pressing Enter too early costs no attempt."""
    client = browse()
    for _ in range(9):
        assert error_of(await sign_in(client, ""))[2] == "Missing authentication token"
    assert (await sign_in(client)).status_code == 200


async def test_each_request_sees_the_newest_settings(browse: Browse, settings: FixedSettings) -> None:
    """They are asked for once, before the key is judged."""
    await browse().get("/guarded", headers=RIGHT)
    assert settings.catch_ups == 1
