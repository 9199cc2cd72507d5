"""Requests are stored, so their tests run on each database."""

from tests.storage import database, database_url, settings, vault

__all__ = ["database", "database_url", "settings", "vault"]
