"""A day of everything at the finest level of the log, after which no secret is found where it doesn't belong."""

import json
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest

from grok_app.db import upgrade
from tests.conftest import QUICK_RETRIES
from tests.contract.admin import bearer
from tests.contract.media import data_uri, picture
from tests.contract.public import WS
from tests.contract.websocket import connected, upgrade_status
from tests.contract.wire import CHAT, body
from tests.redis import redis_url
from tests.servers import Gateway, Sandbox, start_gateway
from tests.storage import empty_postgres

__all__ = ["redis_url"]

API_KEY, OTHER_KEY, APP_KEY, PUBLIC_KEY = (f"{name}-5ecre7-{name}" for name in ("api", "other", "app", "public"))
PROMPT: Final = "A cat, 5ecre7"
TOKENS: Final = {
    "ssoBasic": [f"sandbox-basic-{number}-5ecre7-quota999" for number in range(40)],
    "ssoSuper": ["sandbox-super-5ecre7-quota999"],
}
GIVEN: Final = {
    "secret key": "key-5ecre7-of-the-vault",
    "database": "database-5ecre7",
    "Redis": "redis-5ecre7",
    "API key": API_KEY,
    "second API key": OTHER_KEY,
    "operator's key": APP_KEY,
    "visitors' key": PUBLIC_KEY,
    "account": "5ecre7-quota999",
    "wrong key": "guessed-5ecre7",
    "clearance": "clearance-5ecre7",
    "proxy": "proxy-5ecre7",
    "header for Grok": "header-5ecre7",
    "credentials in a URL": "url-5ecre7",
    "signature in a URL": "signed-5ecre7",
    "prompt": PROMPT,
}
"""What is known before the day; sessions, tickets and voice tokens come with it."""


class Day:
    """What is asked of one gateway, what it refused and what secrets it gave."""

    def __init__(self, gateway: Gateway) -> None:
        self._http = httpx.Client(base_url=gateway.url, timeout=20)
        self._gateway = gateway
        self.secrets: dict[str, str] = dict(GIVEN)
        self.refusals: list[str] = []

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def ask(self, method: str, path: str, key: str = "", **more: Any) -> httpx.Response:
        """Ask with this key, in a header."""
        headers = {**(bearer(key) if key else {}), **more.pop("headers", {})}
        answer = self._http.request(method, path, headers=headers, **more)
        self._http.cookies.clear()
        if answer.is_error:
            self.refusals.append(f"{answer.headers} {answer.text}")
        return answer

    def operate(self) -> None:
        """What an operator does, rightly and wrongly."""
        self.ask("POST", "/v1/admin/tokens", APP_KEY, json=TOKENS).raise_for_status()
        session = self.ask("POST", "/v1/admin/session", json={"app_key": APP_KEY}).raise_for_status()
        cookie = session.headers["set-cookie"].partition(";")[0].partition("=")[2]
        self.secrets["session"], self.secrets["signature"] = cookie.split(".")
        signed_in = {"cookie": f"grok_app_session={cookie}"}
        for path in ("/v1/admin/config", "/v1/admin/tokens", "/v1/admin/cache", "/v1/admin/storage"):
            self.ask("GET", path, headers=signed_in).raise_for_status()
        self.ask("POST", "/v1/admin/config", headers={**signed_in, "origin": "https://elsewhere.example"}, json={})
        changes = {
            "proxy.cf_clearance": GIVEN["clearance"],
            "upstream.extra_headers": {"x-a": GIVEN["header for Grok"]},
        }
        self.ask("POST", "/v1/admin/config", APP_KEY, json=changes).raise_for_status()
        self.ask("POST", "/v1/admin/config", APP_KEY, json={"app.api_key": {"no": API_KEY}, "chat.timeout": APP_KEY})
        self.ask("POST", "/v1/admin/config", APP_KEY, json={"proxy.base_proxy_url": f"ftp://me:{GIVEN['proxy']}@x"})
        self.ask("POST", "/v1/admin/tokens", APP_KEY, content=json.dumps(TOKENS)[:-1])
        task = self.ask("POST", "/v1/admin/tokens/refresh/async", APP_KEY, json={"tokens": TOKENS["ssoBasic"]}).json()
        self.ask("GET", f"/v1/admin/batch/{task['task_id']}/stream", params={"app_key": APP_KEY}).raise_for_status()
        self.ask("GET", "/v1/admin/batch/nobody/stream", params={"app_key": GIVEN["wrong key"]})

    def guess(self) -> None:
        """What a stranger tries."""
        for path in ("/v1/models", "/v1/admin/verify", "/v1/public/verify"):
            assert self.ask("GET", path, GIVEN["wrong key"]).status_code == 401
        assert self.ask("GET", "/v1/models", headers={"x-api-key": GIVEN["wrong key"]}).status_code == 401
        self.ask("POST", "/v1/admin/session", json={"app_key": GIVEN["wrong key"]})
        self.ask("POST", "/v1/admin/session", content=f'{{"app_key": "{APP_KEY}"')
        self.ask("GET", "/v1/admin/session", headers={"cookie": f"grok_app_session={self.secrets['session']}.0"})
        self.ask("GET", "/nothing", params={"app_key": APP_KEY, "public_key": PUBLIC_KEY})

    def call(self) -> None:
        """What a program asks."""
        for url in (
            f"http://me:{GIVEN['credentials in a URL']}@127.0.0.1/a.png",
            f"http://127.0.0.1:1/?sig={GIVEN['signature in a URL']}",
        ):
            look = [{"type": "image_url", "image_url": {"url": url}}]
            assert self.ask("POST", CHAT, OTHER_KEY, json=body(look, stream=False)).status_code == 400
        self.ask("POST", CHAT, API_KEY, content=b'{"model": "grok-4", "api_key": "%s"' % API_KEY.encode())
        drawn = {"prompt": PROMPT, "response_format": "url"}
        link = self.ask("POST", "/v1/images/generations", API_KEY, json=drawn).json()["data"][0]["url"]
        self.ask("GET", httpx.URL(link).path).raise_for_status()
        self.ask("POST", "/v1/images/edits", API_KEY, data=drawn, files={"image": ("a.png", picture(), "image/png")})
        film = {"model": "grok-imagine-1.0-video", "messages": [{"role": "user", "content": PROMPT}], "stream": False}
        self.ask("POST", CHAT, API_KEY, json=film)

    def suffer(self) -> None:
        """What a program asks when Grok is in bad form."""
        for words in ("@401", "@403-blocked", "@429", "@500", "@garbage", "@cut", "@late-error"):
            for stream in (False, True):
                with suppress(httpx.RemoteProtocolError):
                    self.ask("POST", CHAT, API_KEY, json=body(f"{PROMPT} {words}", stream=stream))

    def visit(self) -> None:
        """What a visitor of the studio does."""
        by_query = {"public_key": PUBLIC_KEY}
        for kind, more in (("imagine", {}), ("video", {"image_url": data_uri(picture())})):
            begun = self.ask("POST", f"/v1/public/{kind}/start", PUBLIC_KEY, json={"prompt": PROMPT, **more}).json()
            self.secrets[f"ticket of {kind}"] = ticket = begun["task_id"]
            with self._http.stream("GET", f"/v1/public/{kind}/sse", params={**by_query, "task_id": ticket}) as events:
                next(events.iter_lines())
            self.ask("POST", f"/v1/public/{kind}/stop", PUBLIC_KEY, json={"task_ids": [ticket]})
        with connected(self._gateway, WS, by_query) as socket:
            socket.say(type="start", prompt=PROMPT)
            next(socket)
        assert upgrade_status(self._gateway, WS, {"public_key": GIVEN["wrong key"]}) == 403
        self.ask("POST", "/v1/public/chat/completions", PUBLIC_KEY, json=body(PROMPT))
        self.secrets["voice token"] = self.ask("GET", "/v1/public/voice/token", PUBLIC_KEY).json()["token"]

    def crash(self, storage: str) -> None:
        """Let a table be gone: the traceback has everything at hand."""
        with psycopg.connect(storage, autocommit=True) as connection:
            connection.execute("DROP TABLE console_session")
        assert self.ask("POST", "/v1/admin/session", json={"app_key": APP_KEY}).status_code >= 500

    def in_clear(self, text: str) -> list[str]:
        """The names of the secrets that are in it."""
        return [name for name, secret in self.secrets.items() if secret in text]


def settings_of(more: Mapping[str, str]) -> dict[str, str]:
    """Those of every day."""
    return {
        **QUICK_RETRIES, **more, "log_level": "debug", "secret_key": GIVEN["secret key"],
        "app.api_key": f"{API_KEY}, {OTHER_KEY}", "app.public_enabled": "true", "retry.max_retry": "1",
    }  # fmt: skip


@pytest.fixture
def shared_gateway(tmp_path: Path, sandbox: Sandbox, postgres: str, redis_url: str) -> Generator[Gateway]:
    """With passwords, which both servers take whatever they are; its log is JSON."""
    upgrade(empty_postgres(postgres))
    urls = {
        "database_url": postgres.replace("postgres@", f"postgres:{GIVEN['database']}@"),
        "redis_url": redis_url.replace("//", f"//default:{GIVEN['Redis']}@"),
    }
    keys = {"app.app_key": APP_KEY, "app.public_key": PUBLIC_KEY, "log_json": "true"}
    gateway = start_gateway(tmp_path, sandbox, {}, settings_of({**urls, **keys}))
    yield gateway
    gateway.stop()


def live(day: Day) -> None:
    """All of it."""
    day.operate()
    day.call()
    day.visit()
    day.suffer()
    day.guess()


def test_no_secret_is_in_the_log_or_in_a_refusal(shared_gateway: Gateway, postgres: str) -> None:
    """With PostgreSQL and Redis, as JSON: whatever was asked and whatever went wrong."""
    with closing(Day(shared_gateway)) as day:
        live(day)
        day.crash(postgres)
    log = shared_gateway.process.log()
    assert "Traceback" in log
    assert '"level": "debug"' in log
    assert len(day.refusals) > 20
    assert day.in_clear(log) == []
    assert day.in_clear("\n".join(day.refusals)) == []
    figures = shared_gateway.stranger.get("/metrics", headers=bearer(APP_KEY)).raise_for_status()
    assert day.in_clear(figures.text) == []


def test_no_secret_is_in_a_file_in_clear(tmp_path: Path, sandbox: Sandbox) -> None:
    """With SQLite, its log as text: the data folder gives nothing away to whoever copies it without the key."""
    gateway = start_gateway(tmp_path, sandbox, {}, settings_of({"app.app_key": APP_KEY}))
    with closing(Day(gateway)) as day:
        day.ask("POST", "/v1/admin/config", APP_KEY, json={"app.public_key": PUBLIC_KEY, "app.log_content": True})
        live(day)
    log = gateway.process.log()
    gateway.stop()
    assert "[debug" in log
    assert day.in_clear(log) == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name: found for path in files if (found := day.in_clear(path.read_bytes().decode("latin-1")))} == {}
    assert (tmp_path / "grok_app.db") in files
