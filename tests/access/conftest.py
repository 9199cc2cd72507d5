"""Sessions are stored, so their tests run on each database; what is counted is counted here, or in Redis."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from grok_app.shared import Shared
from tests.redis import cable, forget, redis_url, shared
from tests.storage import database, database_url, vault

__all__ = ["cable", "database", "database_url", "redis_url", "shared", "vault"]


@pytest.fixture(params=["memory", "redis"])
def share(request: pytest.FixtureRequest) -> Iterator[Callable[[], Shared | None]]:
    """Gives at each call what the processes of another installation share: nothing, or a part of Redis."""
    if request.param == "memory":
        yield lambda: None
        return
    one, numbers = request.getfixturevalue("shared"), count()
    yield lambda: Shared(one._redis, f"{one.name}-{next(numbers)}")
    forget(request.getfixturevalue("redis_url"), f"{one.name}-*")
