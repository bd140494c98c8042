"""The integration's own tables, and those of the sql store; or those of an earlier integration,
adopted, and what is missing beside them."""

import logging
from typing import Final

import sqlalchemy as sa
from alembic import context, op

from callhelm_threecx import adoption
from callhelm_threecx.migrations.first_tables import first_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TRIGRAM_INDEX: Final = "ix_three_cx_contacts_search_text"
_log = logging.getLogger(__name__)


def upgrade() -> None:
    """Apply. ``attributes["adoption"]`` is there when an earlier integration's tables are."""
    adopting = context.config.attributes.get("adoption")
    for table in first_tables().sorted_tables:
        if adopting is None or table.name not in adopting.tables:
            table.create(op.get_bind())
    _create_trigram_index()
    if adopting is not None:
        adopting.run()


def _create_trigram_index() -> None:
    """Substrings are searched through pg_trgm where PostgreSQL has it and lets us have it; without
    it a search reads all contacts of its organization."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            op.create_index(
                TRIGRAM_INDEX,
                "three_cx_contacts",
                ["search_text"],
                postgresql_using="gin",
                postgresql_ops={"search_text": "gin_trgm_ops"},
            )
    except sa.exc.DBAPIError:
        _log.warning("pg_trgm is not available here: searches will be slower (see doctor).")


def downgrade() -> None:
    """Undo. Adopted tables stay, with every row, and can be written by whoever did before; their
    keys stay encrypted."""
    staying = adoption.tables_that_stay(op.get_bind())
    for table in reversed(first_tables().sorted_tables):
        if table.name not in staying:
            table.drop(op.get_bind())
    adoption.loosen(op.get_bind())
