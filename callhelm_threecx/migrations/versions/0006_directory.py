"""Organizations are listed, searched and counted on an index that holds all that this needs."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEX = "ix_three_cx_integrations_directory"
TABLE = "three_cx_integrations"


def upgrade() -> None:
    """Apply."""
    op.create_index(INDEX, TABLE, ["organization_id", "organization_name", "enabled"])


def downgrade() -> None:
    """Undo."""
    op.drop_index(INDEX, TABLE)
