"""Why an account rests, and whose turn it is to do what only one process may do."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the reason, which resting accounts don't have yet, and the table of turns."""
    with op.batch_alter_table("account") as table:
        table.add_column(sa.Column("cooling_reason", sa.String(length=200), nullable=True))
    op.create_table(
        "turn",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turn")),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("turn")
    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("cooling_reason")
