"""What every test may ask for, and two rules for all of them: no network, and a failure shows the servers' logs."""

import logging
import os
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import hypothesis
import pytest
import structlog

from grok_app.catalog import Pool
from tests.network import refuse_network
from tests.servers import RUNNING, Gateway, Sandbox, start_gateway, start_sandbox
from tests.storage import mysql, postgres

__all__ = ["mysql", "postgres"]  # one of each for all folders of storage tests

API_KEY: Final = "test-key-one"
OTHER_API_KEY: Final = "test-key-two"
LOG_CHARS: Final = 5000
"""More of a log than that is not shown."""
APP_KEY: Final = "test-app-key"
PUBLIC_KEY: Final = "test-public-key"
KEYS: Final = {
    "app.api_key": f"{API_KEY}, {OTHER_API_KEY}",
    "app.app_key": APP_KEY,
    "app.public_key": PUBLIC_KEY,
}
QUICK_RETRIES: Final = {"retry.retry_backoff_base": "0.01", "retry.retry_backoff_max": "0.02"}
ENDLESS: Final = "quota999999"
"""In an account's name: the sandbox never finds it spent, so that only the gateway's own count matters."""
_SERVED: Final = ("clients", "contract", "e2e", "faults", "replicas")
"""The folders whose tests run against whole servers, or in a browser."""

GatewayFactory = Callable[..., Gateway]


def pytest_configure() -> None:
    """Close the network, and keep our clients from asking a proxy for loopback addresses."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    # A busy machine is no failure: how fast anything is, is not tested.
    slow_is_fine = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
    hypothesis.settings.register_profile("calm", hypothesis.settings(), **slow_is_fine)
    hypothesis.settings.load_profile("calm")
    sys.addaudithook(refuse_network)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a test of browsers or servers once more when it fails: a busy machine is late. The summary names it."""
    for item in items:
        if any(item.path.is_relative_to(Path(__file__).parent / folder) for folder in _SERVED):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_runtest_setup() -> None:
    """Note where the logs stand."""
    for process in RUNNING:
        process.mark()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what the servers logged during it."""
    report = yield
    if report.failed:
        report.sections += [
            (f"log of {process.name}", news[-LOG_CHARS:]) for process in RUNNING if (news := process.news())
        ]
    return report


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    """One sandbox for all tests. What a test asked is found by its `question`."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.http.close()
    sandbox.process.stop()


@pytest.fixture(scope="session")
def make_lasting_gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[GatewayFactory]:
    """Gateways for the tests of many files: they run until the end."""
    yield from _gateways(sandbox, tmp_path_factory)


@pytest.fixture(scope="module")
def make_gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[GatewayFactory]:
    """Gateways for the tests of one file, with which they end: a hundred idle ones would fill the machine."""
    yield from _gateways(sandbox, tmp_path_factory)


@pytest.fixture(scope="session")
def gateway(make_lasting_gateway: GatewayFactory) -> Gateway:
    """A gateway with its defaults, keys, and more accounts than the tests can use up."""
    accounts = {
        Pool.BASIC: tuple(f"sandbox-basic-{number}-{ENDLESS}" for number in range(300)),
        Pool.SUPER: tuple(f"sandbox-super-{number}-{ENDLESS}" for number in range(20)),
    }
    settings = {**KEYS, **QUICK_RETRIES, "token.fail_threshold": "100", "public.requests_per_minute": "100000"}
    return make_lasting_gateway(accounts, settings)


@pytest.fixture
def restore_logging() -> Generator[None]:
    """Leave logging as it was before the test."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    yield
    root.handlers, root.level = before
    structlog.reset_defaults()


@pytest.fixture
def question() -> str:
    """Words that no other test says."""
    return f"What about {uuid4().hex}?"


def _gateways(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[GatewayFactory]:
    """Start gateways by accounts and settings, the same ones once."""
    gateways: dict[tuple[Any, ...], Gateway] = {}

    def make(accounts: Mapping[Pool, tuple[str, ...]], settings: Mapping[str, str]) -> Gateway:
        key = (*accounts.items(), *settings.items())
        if key not in gateways:
            gateways[key] = start_gateway(tmp_path_factory.mktemp("gateway"), sandbox, accounts, settings)
        return gateways[key]

    yield make
    for gateway in gateways.values():
        gateway.stop()
