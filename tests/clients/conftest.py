"""A gateway as docs/clients.md advises it for programs."""

from collections.abc import Generator
from io import BytesIO
from typing import Final

import openai
import pytest
from PIL import Image

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, KEYS, QUICK_RETRIES, GatewayFactory
from tests.servers import Gateway

OTHER_SITE: Final = "https://chat.example.com"


@pytest.fixture(scope="session")
def whole(make_lasting_gateway: GatewayFactory) -> Gateway:
    """It streams only when asked to, thinking has a field of its own, and the pages of one other site may call it."""
    accounts = {
        Pool.BASIC: tuple(f"sandbox-basic-client-{number}-{ENDLESS}" for number in range(50)),
        Pool.SUPER: tuple(f"sandbox-super-client-{number}-{ENDLESS}" for number in range(5)),
    }
    advised = {"app.stream": "false", "app.thinking_format": "reasoning_content", "cors_origins": OTHER_SITE}
    return make_lasting_gateway(accounts, {**KEYS, **QUICK_RETRIES, **advised, "token.fail_threshold": "100"})


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Generator[openai.OpenAI]:
    """The official client, without retries of its own, and a gateway with its defaults."""
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def red() -> bytes:
    """A picture, as PNG."""
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()
