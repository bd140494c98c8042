"""Searches at any size: trigrams on SQLite, and contacts of an organization by their activity."""

import logging

import sqlalchemy as sa
from alembic import op

from callhelm_threecx.migrations import search_index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_log = logging.getLogger(__name__)
CONTACTS = "three_cx_contacts"
PHONES = "three_cx_contact_phones"
ACTIVITY_INDEX = "ix_three_cx_contacts_organization_id_last_active_at_id"

# What ANALYZE would find on a large machine: the rows of a table, and how many share the first
# column of an index, the first two, and so on (https://www.sqlite.org/fileformat2.html#stat1tab).
# Without it SQLite's planner takes an organization for ten rows, and reads all contacts of it
# rather than look one up by address or by number.
STATISTICS = {
    (CONTACTS, "sqlite_autoindex_three_cx_contacts_1"): "1000000 1",
    (CONTACTS, "sqlite_autoindex_three_cx_contacts_2"): "1000000 100000 1",
    (CONTACTS, "sqlite_autoindex_three_cx_contacts_3"): "1000000 100000 1",
    (CONTACTS, ACTIVITY_INDEX): "1000000 100000 2 1",
    (CONTACTS, "ix_three_cx_contacts_organization_id_email_folded"): "1000000 100000 2",
    (PHONES, "sqlite_autoindex_three_cx_contact_phones_1"): "2000000 1",
    (PHONES, "ix_three_cx_contact_phones_contact_id"): "2000000 2",
    (PHONES, "ix_three_cx_contact_phones_organization_id_tail"): "2000000 200000 2",
}


def upgrade() -> None:
    """Apply."""
    op.create_index(ACTIVITY_INDEX, CONTACTS, ["organization_id", "last_active_at", "id"])
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    if search_index.is_supported(connection):
        search_index.create(connection)
    else:
        _log.warning("This SQLite has no FTS5 trigrams: searches will be slower (see doctor).")
    _advise_planner(connection)


def _advise_planner(connection: sa.Connection) -> None:
    """Leave statistics for the planner, as `SQLite's documentation
    <https://www.sqlite.org/lang_analyze.html>`_ suggests; a later ANALYZE replaces them."""
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # makes sqlite_stat1 where there is none
    _forget_advice(connection)
    for (table, index), statistics in STATISTICS.items():
        connection.exec_driver_sql(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", (table, index, statistics)
        )
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # makes the planner read them


def _forget_advice(connection: sa.Connection) -> None:
    tables = (CONTACTS, PHONES)
    connection.exec_driver_sql("DELETE FROM sqlite_stat1 WHERE tbl IN (?, ?)", tables)


def downgrade() -> None:
    """Undo."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _forget_advice(connection)
        search_index.drop(connection)
    op.drop_index(ACTIVITY_INDEX, CONTACTS)
