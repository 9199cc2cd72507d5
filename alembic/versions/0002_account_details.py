"""What an operator sees of an account: tags, a note, when it was last refreshed and cleared."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; accounts that are there have no tags and no note."""
    with op.batch_alter_table("account") as table:
        table.add_column(sa.Column("last_sync_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("last_asset_clear_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("tags", sa.Text(), nullable=False, server_default=_constant("[]")))
        table.add_column(sa.Column("note", sa.Text(), nullable=False, server_default=_constant("")))


def _constant(text: str) -> str | sa.TextClause:
    # MySQL takes the default of a text only as an expression; for one, SQLite's table would be made anew, without the
    # AUTOINCREMENT that keeps an id from being given twice.
    return sa.text(f"('{text}')") if op.get_bind().dialect.name == "mysql" else text


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as table:
        for column in ("note", "tags", "last_asset_clear_at", "last_sync_at"):
            table.drop_column(column)
