"""Where the gateway is.

These files run in the clients' environment: nothing of ours can be imported but `tests.network`.
"""

import os
from uuid import uuid4

import pytest


@pytest.fixture(scope="session")
def url() -> str:
    """The base address that a client is given."""
    return os.environ["GATEWAY_URL"]


@pytest.fixture(scope="session")
def key() -> str:
    """The key that a client is given."""
    return os.environ["GATEWAY_KEY"]


@pytest.fixture
def question() -> str:
    """Words that no other test says."""
    return f"What about {uuid4().hex}?"
