"""The gateways that are asked for anything."""

import pytest

from tests.conftest import GatewayFactory
from tests.fuzz.campaign import ACCOUNTS, SETTINGS
from tests.servers import Gateway


@pytest.fixture(scope="session")
def callers(make_lasting_gateway: GatewayFactory) -> Gateway:
    """One for programs and visitors."""
    return make_lasting_gateway(ACCOUNTS, SETTINGS)


@pytest.fixture(scope="session")
def operators(make_lasting_gateway: GatewayFactory) -> Gateway:
    """One for the operator, whose requests delete accounts."""
    return make_lasting_gateway(ACCOUNTS, {**SETTINGS, "log_level": "warning"})
