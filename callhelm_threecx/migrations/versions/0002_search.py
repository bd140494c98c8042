"""Searches at any size: trigrams on SQLite, and contacts of an organization by their activity."""

import logging

from alembic import op

from callhelm_threecx.migrations import search_index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_log = logging.getLogger(__name__)
ACTIVITY_INDEX = "ix_three_cx_contacts_organization_id_last_active_at_id"


def upgrade() -> None:
    """Apply."""
    columns = ["organization_id", "last_active_at", "id"]
    op.create_index(ACTIVITY_INDEX, "three_cx_contacts", columns)
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    if search_index.is_supported(connection):
        search_index.create(connection)
    else:
        _log.warning("This SQLite has no FTS5 trigrams: searches will be slower (see doctor).")


def downgrade() -> None:
    """Undo."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        search_index.drop(connection)
    op.drop_index(ACTIVITY_INDEX, "three_cx_contacts")
