"""How alembic reaches the database: over the connection that `grok_app.db` hands it, or by the environment."""

from sqlalchemy import Connection, create_engine

from alembic import context
from grok_app import access, accounts, requests, settings
from grok_app.db import TableModel
from grok_app.db.database import driver_url
from grok_app.env import current_env

TABLES = (access, accounts, requests, settings)  # imported so that their tables stand in the metadata


def migrate(connection: Connection) -> None:
    """Run the wanted steps in the connection's own transaction."""
    context.configure(
        connection=connection,
        target_metadata=TableModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    migrate(given)
else:
    env, _ = current_env()
    with create_engine(driver_url(env.database, is_async=False)).begin() as own:
        migrate(own)
