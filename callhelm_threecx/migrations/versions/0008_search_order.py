"""SQLite's search index anew: who was active in the last half millisecond of a second stood in it
as if that had been a second later."""

from alembic import op

from callhelm_threecx.migrations import search_index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite" and search_index.is_complete(connection):
        search_index.drop(connection)
        search_index.create(connection)


def downgrade() -> None:
    """Nothing to undo: the index is the same, but for its order."""
