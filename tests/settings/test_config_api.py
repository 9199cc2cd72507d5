"""The operator's API of settings and storage, on an app that has nothing else. Source: API contract, section 10."""

from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from grok_app.access import Access
from grok_app.api.admin.config import router
from grok_app.api.deps import current_services
from grok_app.api.errors import add_error_handlers
from grok_app.db import Database, Vault
from grok_app.env import Env
from grok_app.settings import DEFINITIONS, SettingsService, open_settings

KEY = "the operator's"

APP = FastAPI()
APP.include_router(router, prefix="/v1/admin")
add_error_handlers(APP)


class Unused:
    """Sessions, none of which is open."""

    async def end_those_of_other_keys(self) -> None:
        """There are none."""


@pytest.fixture
async def service(database: Database, vault: Vault) -> SettingsService:
    """Settings of which the environment holds two."""
    return await open_settings(database, vault, {"app.stream": "false", "app.app_key": KEY})


@pytest.fixture
async def stranger(service: SettingsService) -> AsyncGenerator[httpx.AsyncClient]:
    """Someone without the key."""
    services = SimpleNamespace(
        settings=service, access=Access(service), sessions=Unused(), env=Env(redis_url="redis://localhost")
    )
    APP.dependency_overrides[current_services] = lambda: services
    transport = httpx.ASGITransport(APP)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/v1/admin") as client:
        yield client
    APP.dependency_overrides.clear()


@pytest.fixture
async def admin(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """The operator."""
    stranger.headers["Authorization"] = f"Bearer {KEY}"
    return stranger


async def test_the_configuration_is_whole_and_readable(admin: httpx.AsyncClient) -> None:
    """Every setting stands in its section as JSON has it, defaults filled in, keys as they are."""
    config = (await admin.get("/config")).json()
    assert {f"{section}.{key}" for section, keys in config.items() for key in keys} == DEFINITIONS.keys()
    assert config["app"]["app_key"] == KEY
    assert config["app"]["filter_tags"] == ["xaiartifact", "xai:tool_usage_card", "grok:render"]
    assert (config["chat"]["concurrent"], config["upstream"]["extra_headers"]) == (1000, {})


async def test_a_change_is_answered_and_in_force(admin: httpx.AsyncClient) -> None:
    """A partial object in any spelling changes what it names; retired names are told."""
    answer = await admin.post("/config", json={"app": {"thinking": False}, "image_nsfw": "true", "grok": {"gone": 1}})
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "success",
        "message": "Settings saved. Without effect: grok.gone.",
        "ignored": ["grok.gone"],
    }
    config = (await admin.get("/config")).json()
    assert (config["app"]["thinking"], config["image"]["nsfw"], config["app"]["stream"]) == (False, True, False)


async def test_the_whole_configuration_can_be_sent_back(admin: httpx.AsyncClient) -> None:
    """What `GET` answers, `POST` takes, and nothing changes."""
    config = (await admin.get("/config")).json()
    answer = await admin.post("/config", json=config)
    assert answer.json() == {"status": "success", "message": "Settings saved.", "ignored": []}
    assert (await admin.get("/config")).json() == config


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        (b'{"app.steam": 1}', 400, "app.steam", "unknown_setting"),
        (b'{"app": {"thinking": false, "language": "fr"}}', 400, "app.language", "literal_error"),
        (b'{"app": {"thinking": false, "stream": true}}', 409, "app.stream", "set_by_environment"),
        (b'{"chat.timeout": NaN}', 400, "chat.timeout", "finite_number"),
        (b"[]", 400, "body", "dict_type"),
        (b'"app"', 400, "body", "dict_type"),
        (b"null", 400, "body", "dict_type"),
        (b'{"app":', 400, "body", "json_invalid"),
        (b"", 400, "body", "json_invalid"),
    ],
    ids=["name", "value", "environment", "nan", "array", "string", "null", "broken", "empty"],
)
async def test_what_is_wrong_is_named_and_changes_nothing(
    admin: httpx.AsyncClient, body: bytes, status: int, param: str, code: str
) -> None:
    """Each refusal says which setting and why, in the one shape of errors; nothing of the body is stored."""
    before = (await admin.get("/config")).json()
    answer = await admin.post("/config", content=body)
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
    assert (await admin.get("/config")).json() == before


async def test_storage_says_what_is_in_use(admin: httpx.AsyncClient) -> None:
    """The kind of the database, and whether there is Redis."""
    assert (await admin.get("/storage")).json() == {"type": "sqlite", "redis": True}
    services = SimpleNamespace(**vars(APP.dependency_overrides[current_services]()))
    APP.dependency_overrides[current_services] = lambda: services
    for scheme, kind in (("postgresql", "pgsql"), ("mysql", "mysql"), ("mariadb", "mysql")):
        services.env = Env(database_url=f"{scheme}://localhost/x")
        assert (await admin.get("/storage")).json() == {"type": kind, "redis": False}


@pytest.mark.parametrize(("method", "path"), [("GET", "/config"), ("POST", "/config"), ("GET", "/storage")])
async def test_strangers_see_and_change_nothing(stranger: httpx.AsyncClient, method: str, path: str) -> None:
    """Without the operator's key there is only a 401."""
    answer = await stranger.request(method, path, json={"app.app_key": "mine"})
    assert answer.status_code == 401
    assert KEY not in answer.text
