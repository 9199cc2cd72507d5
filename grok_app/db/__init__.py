"""Storage: the engine, the session rule, the metadata that alembic reads, and the vault for stored secrets."""

from grok_app.db.checkup import DatabaseState, examine_database
from grok_app.db.collision import is_collision, retried
from grok_app.db.database import Database, open_database, shown_database
from grok_app.db.key_file import KeyFile, make_secret
from grok_app.db.migrate import downgrade, upgrade
from grok_app.db.model import TableModel, UtcMs, now_ms
from grok_app.db.notice import Notice
from grok_app.db.resealing import Resealed, Sealed, reseal
from grok_app.db.shared_mark import SharedMark, open_shared_mark
from grok_app.db.turn import Turn
from grok_app.db.unbroken import unbroken
from grok_app.db.vault import Vault, look_into_vault, open_vault, split_keys

__all__ = [
    "Database",
    "DatabaseState",
    "KeyFile",
    "Notice",
    "Resealed",
    "Sealed",
    "SharedMark",
    "TableModel",
    "Turn",
    "UtcMs",
    "Vault",
    "downgrade",
    "examine_database",
    "is_collision",
    "look_into_vault",
    "make_secret",
    "now_ms",
    "open_database",
    "open_shared_mark",
    "open_vault",
    "reseal",
    "retried",
    "shown_database",
    "split_keys",
    "unbroken",
    "upgrade",
]
