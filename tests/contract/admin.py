"""The operator over raw HTTP: who asks, what is asked of many accounts, and how their tasks are watched."""

import re
from collections.abc import Iterable
from itertools import count
from typing import Any, Final
from uuid import uuid4

import httpx

from grok_app.catalog import Pool
from tests.conftest import API_KEY, APP_KEY, ENDLESS, KEYS, QUICK_RETRIES, GatewayFactory
from tests.contract.wire import events
from tests.servers import Gateway, Sandbox

PREFIXES: Final = ["/v1/admin", "/api/v1/admin"]
DESK: Final = {
    **KEYS,
    **QUICK_RETRIES,
    "token.auto_refresh": "false",
    "token.fail_threshold": "2",
    "usage.timeout": "1",
    "nsfw.timeout": "1",
}
GIVEN: Final = {
    "status": "active",
    "quota": 33,
    "created_at": 1_700_000_000_000,
    "last_used_at": 1_700_000_001_000,
    "use_count": 5,
    "fail_count": 1,
    "last_fail_at": 1_700_000_002_000,
    "last_fail_reason": "Something",
    "last_sync_at": 1_700_000_003_000,
    "tags": ["one", "two"],
    "note": "A note",
    "last_asset_clear_at": 1_700_000_004_000,
}
"""A value for every field of an account but its token."""
SESSION: Final = "/v1/admin/session"
OTHER_ORIGIN: Final = "https://console.example.com"
"""Another site, but one whose pages may call."""
GUARDED: Final = f"sandbox-basic-guarded-{ENDLESS}"
"""The only account of the gateway behind a proxy."""
COUNTS: Final = {"task_id", "status", "total", "processed", "ok", "fail", "warning"}
"""What every event of a task says."""

_ADDRESSES: Final = count(1)


def desk(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose accounts each test puts there by itself, and that asks Grok for nothing unless it is told to."""
    return make_gateway({Pool.SUPER: ("sandbox-super-desk",)}, DESK)


def operator(gateway: Gateway, prefix: str) -> httpx.Client:
    """A client that shows the operator's key."""
    return httpx.Client(base_url=f"{gateway.url}{prefix}", headers=bearer(APP_KEY), timeout=15)


def fresh(*endings: str, tier: str = "basic") -> list[str]:
    """A token for each ending, or one, that Grok has never seen. Long enough to be known again when it is masked."""
    return [f"sandbox-{tier}-{uuid4().hex}{ending}" for ending in endings or ("",)]


def employ(admin: httpx.Client, items: Iterable[Any], pool: Pool = Pool.BASIC) -> None:
    """Let these be all the accounts there are."""
    answer = admin.post("/tokens", json={pool: list(items)}).raise_for_status().json()
    assert answer["skipped"] == []


def account_of(admin: httpx.Client, token: str) -> dict[str, Any]:
    """The fields of this account."""
    pools = admin.get("/tokens").raise_for_status().json()
    [account] = [account for accounts in pools.values() for account in accounts if account["token"] == token]
    return dict(account)


def asked_for(sandbox: Sandbox, tokens: Iterable[str]) -> set[str]:
    """Those of the tokens that the sandbox has been asked about."""
    return {entry["account"] for entry in sandbox.journal()} & set(tokens)


def set_up(admin: httpx.Client, **settings: Any) -> None:
    """Change settings, `section__key`."""
    body = {name.replace("__", "."): value for name, value in settings.items()}
    admin.post("/config", json=body).raise_for_status()


def printed_keys(gateway: Gateway) -> dict[str, str]:
    """The keys that a gateway made and printed at its first start."""
    return dict(re.findall(r"^ +(Operator's key|API key|Public key) +(\S{43})$", gateway.process.log(), re.MULTILINE))


def start(admin: httpx.Client, path: str, body: dict[str, Any]) -> tuple[str, int]:
    """Start a task; its id and how many items it has."""
    started = admin.post(path, json=body).raise_for_status().json()
    assert started.keys() == {"status", "task_id", "total"}
    assert started["status"] == "success"
    return started["task_id"], started["total"]


def watch(admin: httpx.Client, task_id: str) -> list[dict[str, Any]]:
    """All events of a task up to its end, which must tell one story whose numbers agree."""
    answer = admin.get(f"/batch/{task_id}/stream").raise_for_status()
    assert answer.headers["content-type"].startswith("text/event-stream")
    story = events(answer.text)
    first, *progress, last = story
    assert (first.keys(), first["type"]) == (COUNTS | {"type"}, "snapshot")
    assert {event["type"] for event in progress} <= {"progress"}
    assert last["type"] in {"done", "error", "cancelled"}
    for event in story:
        assert event.keys() >= COUNTS
        assert (event["task_id"], event["total"]) == (task_id, first["total"])
        assert event["ok"] + event["fail"] == event["processed"] <= event["total"]
    counted = [event["processed"] for event in (first, *progress)]
    assert counted == list(range(first["processed"], first["processed"] + len(counted)))
    assert last["processed"] == counted[-1]
    return story


def outcome(admin: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a task came to, which must reach its good end."""
    task_id, total = start(admin, path, body)
    *_, last = watch(admin, task_id)
    assert (last["type"], last["processed"]) == ("done", total)
    return dict(last["result"])


def behind_proxy(make_gateway: GatewayFactory) -> Gateway:
    """A gateway behind a proxy that tells it each caller's address, so that tests don't share one.

    It has made its keys by itself, but for the API key.
    """
    settings = {"app.api_key": API_KEY, "trusted_proxies": "127.0.0.1", "cors_origins": OTHER_ORIGIN}
    return make_gateway({Pool.BASIC: (GUARDED,)}, {**QUICK_RETRIES, **settings})


def visitor(gateway: Gateway) -> httpx.Client:
    """A browser at an address that no other has."""
    return httpx.Client(base_url=gateway.url, headers=from_nowhere_else(), timeout=10)


def from_nowhere_else() -> dict[str, str]:
    """What a trusted proxy says of a caller at an address that no other has."""
    number = next(_ADDRESSES)
    return {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250 + 1}"}


def sign_in(browser: httpx.Client, key: str) -> httpx.Response:
    """Show a key at the console's door."""
    return browser.post(SESSION, json={"app_key": key})


def is_in(browser: httpx.Client, path: str = "/v1/admin/verify") -> bool:
    """Whether the operator's routes open."""
    answer = browser.get(path)
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {key}"}
