"""A look at a Redis server that changes nothing."""

import time
from dataclasses import dataclass
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

_PATIENCE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class RedisState:
    """What was found."""

    version: str
    policy: str
    """What it drops when its memory is full; empty where it doesn't say."""
    used_bytes: int
    limit_bytes: int
    """0: none."""
    answer_ms: float
    ahead_s: float
    """By how much its clock is ahead of ours."""
    is_cluster: bool


def examine_redis(url: str) -> RedisState:
    """Look at the server at this URL. Blocks.

    Raises:
        OSError: It can't be reached, or refuses us.
    """
    try:
        with Redis.from_url(url, socket_connect_timeout=_PATIENCE_S, socket_timeout=_PATIENCE_S) as redis:
            redis.ping()
            began_at = time.time()
            seconds, micros = redis.time()
            took_s = time.time() - began_at
            found = redis.info()
    except (RedisError, ValueError) as error:
        raise OSError(str(error)) from error
    return RedisState(
        version=found.get("redis_version", ""),
        policy=found.get("maxmemory_policy", ""),
        used_bytes=found.get("used_memory", 0),
        limit_bytes=found.get("maxmemory", 0),
        answer_ms=took_s * 1000,
        ahead_s=seconds + micros / 1e6 - (began_at + took_s / 2),
        is_cluster=found.get("redis_mode") == "cluster",
    )
