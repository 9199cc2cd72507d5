"""What several processes share, in a Redis of this machine."""

from tests.redis import redis_url, shared

__all__ = ["redis_url", "shared"]
