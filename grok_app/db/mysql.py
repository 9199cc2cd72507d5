"""What MySQL and MariaDB are told, so that they keep what the other databases keep: every text, whole and exactly."""

from importlib import import_module
from typing import Any, Final

from sqlalchemy import Connection, Text, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

from grok_app.errors import ConfigurationError

BACKENDS: Final = ("mysql", "mariadb")
"""How a URL may begin."""
SESSION: Final = {
    "isolation_level": "READ COMMITTED",  # as elsewhere; the default locks gaps, and reads what is no longer there
    "connect_args": {"init_command": "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"},
}
"""How an engine connects: what doesn't fit a column is refused instead of cut."""
_PATIENCE: Final = {"read_timeout": "10"}
"""Seconds to wait for a row. No statement of ours takes one; those of migrations may, and wait for each other."""
_LOCK: Final = "MD5(CONCAT('grok_app migrations of ', DATABASE()))"  # names of locks are the whole server's
_LONGEST_MIGRATION_S: Final = 600


def mysql_url(url: URL, *, is_async: bool) -> URL:
    """The same URL with asyncmy or PyMySQL as its driver.

    Raises:
        ConfigurationError: They are not installed.
    """
    driver = "asyncmy" if is_async else "pymysql"
    try:
        import_module(driver)
    except ImportError as error:
        raise ConfigurationError(
            "GROK_APP_DATABASE_URL names a MySQL or MariaDB database, whose drivers are not installed: "
            "pip install 'grok-app[mysql]'"
        ) from error
    patience = _PATIENCE if is_async else {}
    return url.set(drivername=f"mysql+{driver}").update_query_dict({**patience, **url.query})


def migrate_alone(connection: Connection) -> None:
    """Let other processes that would migrate the same database wait until this connection is closed.

    Raises:
        ConfigurationError: Another one has been migrating for ten minutes.
    """
    if not connection.scalar(text(f"SELECT GET_LOCK({_LOCK}, {_LONGEST_MIGRATION_S})")):
        raise ConfigurationError("Another process has been changing the database's tables for ten minutes")


@compiles(Text, "mysql")
def _as_long_text(_type: Text, _compiler: Any, **_options: Any) -> str:
    """TEXT ends at 64 KB there, and a kept prompt may be longer (2026-11-29)."""
    return "LONGTEXT"


@compiles(CreateTable, "mysql")
def _exactly(create: CreateTable, compiler: Any, **options: Any) -> str:
    """All of Unicode, and no two texts the same that differ in a letter's case or accent."""
    statement = str(compiler.visit_create_table(create, **options)).rstrip()
    return f"{statement} ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
