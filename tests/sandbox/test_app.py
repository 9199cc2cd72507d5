"""The pages that show what happens inside."""

import re

import pytest

from grok_app.sandbox import DEMO_ACCOUNTS, create_sandbox
from grok_app.sandbox.faults import TABLE
from grok_app.sandbox.words import Call

from .conftest import ACCEPT_TERMS, ADULT, CHAT, ENABLE_ADULT, TERMS, Caller


async def test_the_index_lists_words_and_accounts_and_loads_nothing(caller: Caller) -> None:
    """All of it is in one page, for light and dark screens of any width."""
    page = (await caller.http.get("/")).text
    assert all(f"@{name}<" in page for name in TABLE)
    assert all(token in page for _, token in DEMO_ACCOUNTS)
    assert all(call.value in page for call in Call)
    assert "color-scheme: light dark" in page
    assert "width=device-width" in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)


async def test_the_index_escapes_the_address(caller: Caller) -> None:
    """A host header can't inject markup."""
    page = (await caller.http.get("/", headers={"host": "<b>x"})).text
    assert "<b>x" not in page


async def test_requests_show_what_arrived(caller: Caller) -> None:
    """Headers as received, the parsed body, status, state and times."""
    await caller.chat("Hello")
    (entry,) = (await caller.http.get("/sandbox/requests")).json()
    assert (entry["path"], entry["account"]) == ("/rest/app-chat/conversations/new", "sandbox-basic-1")
    assert ["cookie", "sso=sandbox-basic-1; sso-rw=sandbox-basic-1;cf_clearance=c"] in entry["headers"]
    assert (entry["body"]["message"], entry["status"], entry["state"]) == ("Hello", 200, "finished")
    assert entry["started_ms"] <= entry["ended_ms"]


@pytest.mark.parametrize(("path", "body"), [(TERMS, ACCEPT_TERMS), (ADULT, ENABLE_ADULT), (ADULT, "ff00")])
async def test_requests_show_binary_bodies_in_hex(caller: Caller, path: str, body: str) -> None:
    """As the protocol page writes them, good or bad."""
    await caller.grpc(path, body)
    (entry,) = (await caller.http.get("/sandbox/requests")).json()
    assert (entry["body"], entry["body_bytes"], entry["account"]) == (body, len(body) // 2, "sandbox-basic-1")


async def test_state_shows_what_is_left_and_set(caller: Caller) -> None:
    """Each account by its token, nothing set at first sight."""
    await caller.limits()
    assert await caller.state_of() == {
        "account": "sandbox-basic-1",
        "pool": "ssoBasic",
        "remaining": 80,
        "total": 80,
        "terms_accepted": False,
        "birth_date": None,
        "adult_content": False,
    }


async def test_a_real_token_is_never_shown(caller: Caller) -> None:
    """Who points a real account here by mistake doesn't find it on a page."""
    await caller.chat("Hello", account="a-real-token")
    assert "a-real-token" not in (await caller.http.get("/sandbox/requests")).text


async def test_the_journal_is_bounded(caller: Caller) -> None:
    """The last 200 requests, and of large bodies the size alone."""
    for _ in range(201):
        await caller.post("/rest/rate-limits", {})
    await caller.chat("x" * 100_000 + "\n\n@429")
    entries = (await caller.http.get("/sandbox/requests")).json()
    assert len(entries) == 200
    assert entries[-1]["body"] is None
    assert entries[-1]["body_bytes"] > 100_000


async def test_reset_forgets_everything(caller: Caller) -> None:
    """Requests, quotas and failures on @once-."""
    await caller.chat("@once-503")
    await caller.chat("Hello")
    assert (await caller.http.get("/sandbox/state")).json()["accounts"][0]["remaining"] == 79
    await caller.http.post("/sandbox/reset")
    state = (await caller.http.get("/sandbox/state")).json()
    counts = dict.fromkeys(("open_streams", "open_sockets", "total_requests", "assets", "asset_bytes"), 0)
    assert state == {**counts, "accounts": []}
    assert (await caller.chat("@once-503")).status_code == 503


async def test_reset_forgets_an_accounts_setup(caller: Caller) -> None:
    """Even the birth date, which no client can change."""
    for step in (caller.terms, caller.birth, caller.adult):
        await step()
    await caller.http.post("/sandbox/reset")
    assert (await caller.birth()).status_code == 200
    state = await caller.state_of()
    assert (state["terms_accepted"], state["adult_content"]) == (False, False)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", CHAT, 405, 12), ("GET", TERMS, 405, 12), ("POST", "/rest/nothing", 404, 5)],
)
async def test_unknown_routes_are_refused_like_a_grpc_gateway(
    caller: Caller, method: str, path: str, status: int, code: int
) -> None:
    """JSON with a gRPC code, and an entry in the journal."""
    response = await caller.http.request(method, path)
    assert (response.status_code, response.json()["code"], response.json()["details"]) == (status, code, [])
    assert (await caller.http.get("/sandbox/requests")).json()[-1]["status"] == status


async def test_two_sandboxes_share_nothing() -> None:
    """State belongs to the application."""
    assert create_sandbox().state.sandbox is not create_sandbox().state.sandbox
