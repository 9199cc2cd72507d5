"""Storage: the engine, the session rule, the metadata that alembic reads, and the vault for stored secrets."""

from grok_app.db.database import Database, open_database
from grok_app.db.migrate import downgrade, upgrade
from grok_app.db.model import TableModel, UtcMs, now_ms
from grok_app.db.notice import Notice
from grok_app.db.turn import Turn
from grok_app.db.unbroken import unbroken
from grok_app.db.vault import Vault, open_vault

__all__ = [
    "Database",
    "Notice",
    "TableModel",
    "Turn",
    "UtcMs",
    "Vault",
    "downgrade",
    "now_ms",
    "open_database",
    "open_vault",
    "unbroken",
    "upgrade",
]
