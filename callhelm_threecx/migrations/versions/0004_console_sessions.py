"""Sign-ins to the console."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "three_cx_console_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_three_cx_console_sessions"),
    )
    op.create_index(
        "ix_three_cx_console_sessions_expires_at", "three_cx_console_sessions", ["expires_at"]
    )


def downgrade() -> None:
    """Undo; whoever is signed in signs in again."""
    op.drop_table("three_cx_console_sessions")
