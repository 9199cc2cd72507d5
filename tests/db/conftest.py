"""Storage tests run on each database."""

from tests.redis import cable, redis_url
from tests.storage import database, database_url, settings, vault

__all__ = ["cable", "database", "database_url", "redis_url", "settings", "vault"]
