"""The gateway as its users reach it: through the official client, or over raw HTTP."""

from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx
import openai
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import PREFIXES, behind_proxy, desk, operator, printed_keys, visitor
from tests.contract.media import DOWNLOAD_LIMIT_S, FILES_URL, Calls
from tests.contract.pictures import Watch, hasty_gateway, watch_from_now
from tests.contract.public import rationed_gateway, studio_gateway
from tests.servers import Gateway, Sandbox


@pytest.fixture(scope="session")
def client(gateway: Gateway) -> Generator[openai.OpenAI]:
    """The official client, which must not hide a failure by trying again."""
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(gateway: Gateway) -> AsyncGenerator[openai.AsyncOpenAI]:
    """The same for programs that await."""
    async with openai.AsyncOpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def http(gateway: Gateway) -> AsyncGenerator[httpx.AsyncClient]:
    """Raw HTTP, awaited, with the key."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=gateway.url, headers=gateway.auth, timeout=15, limits=limits) as client:
        yield client


@pytest.fixture(scope="session")
def changed(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway whose operator has changed everything that a chat reads, and has basic accounts only."""
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-changed-{number}-{ENDLESS}" for number in range(50))}
    settings = {
        **QUICK_RETRIES,
        "cors_origins": "https://chat.example.com",
        "app.api_key": "",
        "app.app_key": "",
        "app.public_key": "",
        "public.requests_per_minute": "100000",
        "app.stream": "false",
        "app.thinking": "false",
        "app.thinking_format": "reasoning_content",
        "app.filter_tags": "mytag",
        "app.temporary": "false",
        "app.disable_memory": "false",
        "app.dynamic_statsig": "false",
        "proxy.cf_clearance": "clearance-1",
        "proxy.user_agent": "Changed/1.0",
        "upstream.extra_headers": '{"X-Extra": "extra", "accept-language": "de"}',
        "retry.retry_status_codes": "429,500",
        "chat.timeout": "0.8",
        "chat.stream_timeout": "0.8",
    }
    return make_lasting_gateway(accounts, settings)


@pytest.fixture(scope="session")
def hasty(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway that gives up soon on pictures; each test puts its accounts there with `staff`."""
    return hasty_gateway(make_lasting_gateway)


@pytest.fixture(scope="session")
def studio(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway with a key for visitors, who may ask for as much as they like."""
    return studio_gateway(make_lasting_gateway)


@pytest.fixture(scope="session")
def rationed(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway that is told each visitor's address, and gives each no more than it does by default."""
    return rationed_gateway(make_lasting_gateway)


@pytest.fixture
def watch(sandbox: Sandbox) -> Watch:
    """What Grok is asked during the test."""
    return watch_from_now(sandbox)


@pytest.fixture
def managed(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway whose accounts can be changed."""
    return desk(make_lasting_gateway)


@pytest.fixture(params=PREFIXES)
def admin(managed: Gateway, request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """The operator, at each prefix."""
    with operator(managed, request.param) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(make_gateway: GatewayFactory) -> Gateway:
    """A gateway that has made its operator's key, and is told each caller's address."""
    return behind_proxy(make_gateway)


@pytest.fixture(scope="module")
def key(guarded: Gateway) -> str:
    """The operator's key, which the gateway has made."""
    return printed_keys(guarded)["Operator's key"]


@pytest.fixture
def browser(guarded: Gateway) -> Generator[httpx.Client]:
    """Someone at an address of their own, who keeps cookies."""
    with visitor(guarded) as client:
        yield client


@pytest.fixture
def calls(sandbox: Sandbox) -> Calls:
    """The requests under a path that Grok got since the test began, oldest first."""
    before = sandbox.state()["total_requests"]

    def find(path: str) -> list[dict[str, Any]]:
        entries = sandbox.http.get("/sandbox/requests").raise_for_status().json()
        return [entry for entry in entries if entry["id"] > before and entry["path"].startswith(path)]

    return find


@pytest.fixture(scope="session")
def abroad(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway that speaks Chinese, has basic accounts only, and gives media in other forms than by default."""
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-abroad-{number}-{ENDLESS}" for number in range(50))}
    settings = {
        **QUICK_RETRIES,
        "app.api_key": "",
        "app.stream": "false",
        "app.thinking": "false",
        "app.thinking_format": "reasoning_content",
        "app.language": "zh-CN",
        "app.image_format": "base64",
        "app.video_format": "markdown",
        "video.timeout": "1.5",
        "video.stream_timeout": "1.5",
    }
    return make_lasting_gateway(accounts, settings)


@pytest.fixture(scope="session")
def elsewhere(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway whose files have an address of their own, and that has super accounts only."""
    accounts = {Pool.SUPER: tuple(f"sandbox-super-elsewhere-{number}-{ENDLESS}" for number in range(20))}
    settings = {**QUICK_RETRIES, "app.api_key": "", "app.app_url": FILES_URL, "app.video_format": "url"}
    return make_lasting_gateway(accounts, settings)


@pytest.fixture(scope="session")
def lossy(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway whose accounts make pictures and videos, none of which can be downloaded."""
    accounts = {
        Pool.BASIC: tuple(f"sandbox-basic-{ENDLESS}-@download-{word}" for word in ("404", "cut")),
        Pool.SUPER: (f"sandbox-super-{ENDLESS}-@download-hang",),
    }
    settings = {**QUICK_RETRIES, "app.api_key": "", "asset.download_timeout": str(DOWNLOAD_LIMIT_S)}
    return make_lasting_gateway(accounts, settings)
