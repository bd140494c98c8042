"""Imports of contacts that were uploaded, in batches that are done one by one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

IMPORTS = "three_cx_contact_imports"
BATCHES = "three_cx_contact_import_batches"
INSTANT = sa.DateTime(timezone=True)
BYTE_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    counters = ("total", "done", "created", "updated", "unchanged", "refused")
    op.create_table(
        IMPORTS,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("header", JSON, nullable=False),
        sa.Column("state", BYTE_TEXT, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counters),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("actor", JSON, nullable=False),
        sa.Column("runner", sa.Uuid(), nullable=True),
        sa.Column("heartbeat_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{IMPORTS}"),
    )
    op.create_index(
        f"ix_{IMPORTS}_organization_id_created_at_id",
        IMPORTS,
        ["organization_id", "created_at", "id"],
    )
    op.create_table(
        BATCHES,
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], [f"{IMPORTS}.id"], name=f"fk_{BATCHES}_import_id"),
        sa.PrimaryKeyConstraint("import_id", "position", name=f"pk_{BATCHES}"),
    )


def downgrade() -> None:
    """Undo; imports that are not done are lost."""
    op.drop_table(BATCHES)
    op.drop_table(IMPORTS)
