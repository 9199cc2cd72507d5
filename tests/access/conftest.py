"""Sessions are stored, so their tests run on each database."""

from tests.storage import database, database_url, vault

__all__ = ["database", "database_url", "vault"]
