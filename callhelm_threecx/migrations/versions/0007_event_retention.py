"""How long an organization's events are kept, where it differs from the server's setting."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "three_cx_event_retention"
BYTE_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        TABLE,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("event_type", BYTE_TEXT, nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "event_type", name=f"pk_{TABLE}"),
    )


def downgrade() -> None:
    """Undo; the server's setting counts for everybody again."""
    op.drop_table(TABLE)
