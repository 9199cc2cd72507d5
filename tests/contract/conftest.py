"""The gateway as its users reach it: through the official client, or over raw HTTP."""

from collections.abc import AsyncGenerator, Generator

import httpx
import openai
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import PREFIXES, behind_proxy, desk, operator, printed_keys, visitor
from tests.contract.pictures import Watch, hasty_gateway, watch_from_now
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
def changed(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose operator has changed everything that a chat reads, and has basic accounts only."""
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-changed-{number}-{ENDLESS}" for number in range(50))}
    settings = {
        **QUICK_RETRIES,
        "cors_origins": "https://chat.example.com",
        "app.api_key": "",
        "app.app_key": "",
        "app.public_key": "",
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
    return make_gateway(accounts, settings)


@pytest.fixture(scope="session")
def hasty(make_gateway: GatewayFactory) -> Gateway:
    """A gateway that gives up soon on pictures; each test puts its accounts there with `staff`."""
    return hasty_gateway(make_gateway)


@pytest.fixture
def watch(sandbox: Sandbox) -> Watch:
    """What Grok is asked during the test."""
    return watch_from_now(sandbox)


@pytest.fixture
def managed(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose accounts can be changed."""
    return desk(make_gateway)


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
