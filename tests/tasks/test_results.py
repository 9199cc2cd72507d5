"""Results on their way."""

import pytest
from redis import Redis

from grok_app.errors import OverloadedError
from grok_app.shared import open_shared
from grok_app.tasks.results import Results
from tests.tasks.conftest import VAULT


async def test_a_result_is_sealed_on_its_way_and_taken_once(redis_url: str, installation: str) -> None:
    """It may hold credentials; a large one goes in pieces."""
    result = {"results": {f"secret-{number}": True for number in range(100_000)}}
    async with open_shared(redis_url, installation) as shared:
        assert shared
        results = Results(shared, VAULT)
        name = await results.put(result)
        with Redis.from_url(redis_url) as redis:
            pieces = redis.lrange(shared.key("tasks", "result", name), 0, -1)
            assert 0 < redis.ttl(shared.key("tasks", "result", name)) <= 30

        assert len(pieces) > 1
        assert b"secret" not in b"".join(pieces)
        assert await results.take(name) == result
        with pytest.raises(OverloadedError, match="lost on its way"):
            await results.take(name)
