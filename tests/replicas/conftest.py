"""One pair of replicas for all tests of a process; each test finds both of them up."""

import re
from collections.abc import Generator

import pytest

from tests import nginx
from tests.redis import redis_url
from tests.replicas.pair import Pair, two_replicas
from tests.servers import Sandbox, start_sandbox
from tests.storage import postgres_database

__all__ = ["redis_url"]

TOKEN_S = 0.005
"""Before each token of Grok's: a reply takes about a second."""


@pytest.fixture(scope="session")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    """A sandbox that takes its time, so that replies are under way when something happens."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("paced"), token_s=TOKEN_S)
    yield sandbox
    sandbox.http.close()
    sandbox.process.stop()


@pytest.fixture(scope="session")
def both(paced: Sandbox, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    """The pair as tests before have left it."""
    if nginx.PROGRAM is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("replicas")
    with postgres_database() as database_url, two_replicas(folder, paced, database_url, redis_url) as pair:
        yield pair


@pytest.fixture
def shaken(both: Pair) -> Pair:
    """The pair, both of them up, for a test in which something goes wrong."""
    both.heal()
    return both


@pytest.fixture
def pair(shaken: Pair) -> Generator[Pair]:
    """The pair, both of them up, for a test in which nothing goes wrong between them and what they share."""
    yield shaken
    for replica in shaken.replicas:
        assert not re.search(r"\[error|traceback|Redis is away", replica.process.news(), re.IGNORECASE)
