"""A change is in force for the next request, of this process and of every other. Source: API contract, section 10."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from typing import Final

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import APP_KEY, ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import PREFIXES, operator, set_up
from tests.contract.wire import CHAT, ask, body, error_of, text_of
from tests.servers import Gateway, Sandbox, eventually, start_gateway

ACCOUNTS: Final = {Pool.BASIC: tuple(f"sandbox-basic-changes-{number}-{ENDLESS}" for number in range(20))}
HELD: Final = {**QUICK_RETRIES, "app.app_key": APP_KEY}


@pytest.fixture(scope="module")
def configured(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose settings are at their defaults, but for a few that the environment holds."""
    return make_gateway(ACCOUNTS, HELD)


@pytest.fixture(params=PREFIXES)
def admin(configured: Gateway, request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """The operator, at each prefix, who begins without an API key and leaves everything as it was."""
    with operator(configured, request.param) as client:
        before = client.get("/config").json()
        set_up(client, app__api_key="")
        yield client
        client.post("/config", json=before).raise_for_status()


@pytest.fixture(scope="module")
def pair(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Gateway, Gateway]]:
    """Two processes on one data folder."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        first = start_gateway(folder, sandbox, ACCOUNTS, HELD)
        stack.callback(first.stop)
        beside = tmp_path_factory.mktemp("pair-second")
        second = start_gateway(beside, sandbox, {}, {**HELD, "data_dir": str(folder)})
        stack.callback(second.stop)
        yield first, second


def test_default_streaming_changes_with_the_next_request(admin: httpx.Client, configured: Gateway) -> None:
    """`app.stream` decides where the request is silent."""
    kinds = []
    for value in (False, True, False):
        set_up(admin, app__stream=value)
        kinds.append(ask(configured, "Hello").raise_for_status().headers["content-type"].partition(";")[0])
    assert kinds == ["application/json", "text/event-stream", "application/json"]


def test_thinking_changes_with_the_next_request(admin: httpx.Client, configured: Gateway) -> None:
    """Whether it is shown, and in which form."""

    def is_shown() -> bool:
        return "<think>" in text_of(configured, "Why? @think", stream=False)

    assert is_shown()
    set_up(admin, app__thinking=False)
    assert not is_shown()
    set_up(admin, app__thinking=True, app__thinking_format="reasoning_content")
    assert not is_shown()
    message = ask(configured, "Why? @think", stream=False).json()["choices"][0]["message"]
    assert message["reasoning_content"]


def test_api_keys_change_with_the_next_request(admin: httpx.Client, configured: Gateway) -> None:
    """The old key is refused at once, each of the new ones opens, and the empty text opens to everyone."""

    def statuses() -> list[int]:
        keys = ("first", "second", "third")
        answers = [configured.stranger.get("/v1/models", headers={"x-api-key": key}) for key in keys]
        return [answer.status_code for answer in answers]

    assert statuses() == [200, 200, 200]
    set_up(admin, app__api_key="first")
    assert statuses() == [200, 401, 401]
    set_up(admin, app__api_key="second, third")
    assert statuses() == [401, 200, 200]
    set_up(admin, app__api_key="")
    assert statuses() == [200, 200, 200]


def test_the_public_key_changes_with_the_next_request(admin: httpx.Client, configured: Gateway) -> None:
    """Also under its short name."""

    def status() -> int:
        headers = {"Authorization": "Bearer visitors"}
        return configured.stranger.get("/v1/public/verify", headers=headers).status_code

    assert status() == 401
    admin.post("/config", json={"public_key": "visitors"}).raise_for_status()
    assert status() == 200
    admin.post("/config", json={"public_key": "others"}).raise_for_status()
    assert status() == 401
    admin.post("/config", json={"public_key": ""}).raise_for_status()
    assert configured.stranger.get("/v1/public/verify").status_code == 200


def test_what_goes_to_grok_changes_with_the_next_request(
    admin: httpx.Client, configured: Gateway, sandbox: Sandbox, question: str
) -> None:
    """Options of the chat and headers alike."""
    set_up(admin, app__temporary=False, proxy__user_agent="Other/2.0", upstream__extra_headers={"X-Extra": "yes"})
    ask(configured, question, stream=False).raise_for_status()
    [asked] = sandbox.asked(question)
    headers = dict(asked["headers"])
    assert asked["body"]["temporary"] is False
    assert (headers["user-agent"], headers["x-extra"]) == ("Other/2.0", "yes")


def test_limits_change_with_the_next_request(admin: httpx.Client, configured: Gateway) -> None:
    """A shorter patience ends the next silence sooner."""
    set_up(admin, chat__timeout=0.2)
    answer = ask(configured, "Are you there? @hang", stream=False)
    assert answer.status_code == 504
    assert error_of(answer)["code"] == "upstream_timeout"


def test_another_process_obeys_with_its_next_request(pair: tuple[Gateway, Gateway]) -> None:
    """No waiting in between: what one has answered is in force at the other."""
    first, second = pair
    with operator(first, PREFIXES[0]) as one, operator(second, PREFIXES[0]) as other:
        for round_ in range(10):
            changer, obeyer = ((one, second), (other, first))[round_ % 2]
            key = f"key-of-round-{round_}"
            set_up(changer, app__api_key=key, app__stream=round_ % 3 == 0)
            answer = obeyer.stranger.post(CHAT, json=body("Hello"), headers={"x-api-key": key})
            assert answer.status_code == 200, round_
            assert answer.headers["content-type"].startswith("text/event-stream") is (round_ % 3 == 0)
            assert obeyer.stranger.get("/v1/models", headers={"x-api-key": f"key-of-round-{round_ - 1}"}).is_error
            assert one.get("/config").json() == other.get("/config").json()


def test_two_processes_don_t_undo_each_other_s_changes(pair: tuple[Gateway, Gateway]) -> None:
    """Each change is a merge into what is stored, not into what a process remembers; also at the same moment."""
    names = [
        f"asset.{act}_{what}" for act in ("upload", "download", "list", "delete") for what in ("timeout", "concurrent")
    ]
    first, second = pair
    with operator(first, PREFIXES[0]) as one, operator(second, PREFIXES[0]) as other, ThreadPoolExecutor(8) as hands:
        for value in (11, 12, 13):
            changes = [
                hands.submit(admin.post, "/config", json={name: value})
                for admin, name in zip(cycle((one, other)), names, strict=False)
            ]
            assert [change.result().status_code for change in changes] == [200] * len(names)
            for admin in (one, other):
                asset = admin.get("/config").json()["asset"]
                assert [asset[name.partition(".")[2]] for name in names] == [value] * len(names)


def test_accounts_and_sessions_are_known_to_both_processes(pair: tuple[Gateway, Gateway]) -> None:
    """Added here, listed there; signed in here, let in there; signed out here, kept out there soon after."""
    first, second = pair
    token = f"sandbox-basic-shared-{ENDLESS}"
    with operator(first, PREFIXES[0]) as one, operator(second, PREFIXES[0]) as other:
        one.post("/tokens/add", json={"tokens": [token]}).raise_for_status()
        eventually(lambda: token in other.get("/tokens").text)
        other.post("/tokens/delete", json={"tokens": [token]}).raise_for_status()
        eventually(lambda: token not in one.get("/tokens").text)
    signed_in = first.stranger.post("/v1/admin/session", json={"app_key": APP_KEY}).raise_for_status()
    cookies = dict(signed_in.cookies)
    is_in = _asks_with(cookies)
    assert is_in(first)
    assert is_in(second)
    with httpx.Client(base_url=second.url, cookies=cookies) as browser:
        browser.delete("/v1/admin/session").raise_for_status()
    assert not is_in(second)
    eventually(lambda: not is_in(first), within_s=10)


def _asks_with(cookies: dict[str, str]) -> Callable[[Gateway], bool]:
    def is_in(gateway: Gateway) -> bool:
        with httpx.Client(base_url=gateway.url, cookies=cookies) as browser:
            return browser.get("/v1/admin/verify").status_code == 200

    return is_in
