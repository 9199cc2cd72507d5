"""Accounts written down for the operator: as lines and as JSON, some of them or all."""

from collections.abc import Generator

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import APP_KEY, KEYS, GatewayFactory
from tests.contract.wire import error_of
from tests.servers import Gateway

TOKENS = ("sandbox-basic-export-1", "sandbox-basic-export-2")


@pytest.fixture
def managed(make_gateway: GatewayFactory) -> Gateway:
    """A gateway with two accounts."""
    return make_gateway({Pool.BASIC: TOKENS}, KEYS)


@pytest.fixture(params=["/v1/admin", "/api/v1/admin"])
def admin(managed: Gateway, request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """A client of the operator, at each prefix."""
    headers = {"Authorization": f"Bearer {APP_KEY}"}
    with httpx.Client(base_url=f"{managed.url}{request.param}", headers=headers) as client:
        yield client


def test_all_accounts_are_exported_as_they_are_listed(admin: httpx.Client) -> None:
    """Nobody on the way keeps the file, and a browser saves it."""
    answer = admin.post("/tokens/export", json={})
    assert answer.json() == admin.get("/tokens").json()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="token.json"'
    assert answer.headers["cache-control"] == "no-store"


def test_lines_are_tokens_oldest_first(admin: httpx.Client) -> None:
    """One per line; ids that are gone are passed over."""
    answer = admin.post("/tokens/export", json={"format": "txt"})
    assert answer.text.splitlines() == list(TOKENS)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert admin.post("/tokens/export", json={"format": "txt", "ids": [2, 999]}).text == f"{TOKENS[1]}\n"


def test_an_export_of_nobody_is_an_error(admin: httpx.Client) -> None:
    """An empty file would be taken for a backup."""
    answer = admin.post("/tokens/export", json={"ids": [999]})
    assert (answer.status_code, error_of(answer)["code"]) == (404, "token_not_found")
    assert admin.post("/tokens/export", json={"ids": []}).status_code == 404


def test_an_unknown_format_is_named(admin: httpx.Client) -> None:
    """With what was expected."""
    answer = admin.post("/tokens/export", json={"format": "csv"})
    assert (answer.status_code, error_of(answer)["param"]) == (400, "format")


def test_nobody_else_gets_the_tokens(managed: Gateway) -> None:
    """Neither without a key nor with an API key."""
    assert managed.stranger.post("/v1/admin/tokens/export", json={}).status_code == 401
    assert managed.http.post("/v1/admin/tokens/export", json={}).status_code == 401
