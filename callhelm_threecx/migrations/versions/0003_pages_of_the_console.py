"""Pages at any size: closed days as totals, an index for each filter of a page, calls and chats by
when they happened."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

EVENTS = "three_cx_call_events"
CALLS = "three_cx_calls"
CHATS = "three_cx_chats"
INSTANT = sa.DateTime(timezone=True)
BYTE_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTED = ("created_at", "id", "event_type", "status", "call_type", "latency_ms")
MOMENT = ("happened_at", "id")

# By name: (table, columns, the column that must be there for a row to be in it).
NEW_INDEXES = {
    "ix_three_cx_call_events_by_organization": (EVENTS, ("organization_id", *COUNTED), None),
    "ix_three_cx_call_events_by_time": (EVENTS, COUNTED, None),
    "ix_three_cx_call_events_by_organization_type": (
        EVENTS,
        ("organization_id", "event_type", "status", "created_at", "id", "call_type"),
        None,
    ),
    "ix_three_cx_call_events_by_type": (
        EVENTS,
        ("event_type", "status", "created_at", "id", "call_type"),
        None,
    ),
    "ix_three_cx_call_events_by_number": (
        EVENTS,
        ("phone_number", "organization_id", "created_at", "id"),
        "phone_number",
    ),
    "ix_three_cx_call_events_by_agent": (
        EVENTS,
        ("agent_extension", "organization_id", "created_at", "id"),
        "agent_extension",
    ),
    "ix_three_cx_calls_by_time": (CALLS, ("organization_id", *MOMENT), None),
    "ix_three_cx_calls_by_contact": (CALLS, ("organization_id", "contact_id", *MOMENT), None),
    "ix_three_cx_calls_by_number": (CALLS, ("organization_id", "number", *MOMENT), None),
    "ix_three_cx_calls_by_agent": (
        CALLS,
        ("organization_id", "agent_extension", *MOMENT, "call_type"),
        None,
    ),
    "ix_three_cx_calls_by_type": (CALLS, ("organization_id", "call_type", *MOMENT), None),
    "ix_three_cx_chats_by_time": (CHATS, ("organization_id", *MOMENT), None),
    "ix_three_cx_chats_by_contact": (CHATS, ("organization_id", "contact_id", *MOMENT), None),
    "ix_three_cx_chats_by_number": (CHATS, ("organization_id", "number", *MOMENT), None),
    "ix_three_cx_chats_by_agent": (CHATS, ("organization_id", "agent_extension", *MOMENT), None),
}
OLD_INDEXES = {
    "ix_three_cx_call_events_created_at_id": (EVENTS, ("created_at", "id")),
    "ix_three_cx_call_events_organization_id_created_at_id": (
        EVENTS,
        ("organization_id", "created_at", "id"),
    ),
    "ix_three_cx_call_events_organization_id_event_type": (
        EVENTS,
        ("organization_id", "event_type", "created_at", "id"),
    ),
    "ix_three_cx_calls_organization_id_contact_id_started_at": (
        CALLS,
        ("organization_id", "contact_id", "started_at"),
    ),
    "ix_three_cx_calls_organization_id_started_at_id": (
        CALLS,
        ("organization_id", "started_at", "id"),
    ),
    "ix_three_cx_chats_organization_id_started_at_id": (
        CHATS,
        ("organization_id", "started_at", "id"),
    ),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "three_cx_daily_totals",
        sa.Column("organization_id", BYTE_TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event_type", BYTE_TEXT, nullable=False),
        sa.Column("status", BYTE_TEXT, nullable=False),
        sa.Column("call_type", BYTE_TEXT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("organization_id", "day", "event_type", "status", "call_type"),
            name="pk_three_cx_daily_totals",
        ),
    )
    for name, (table, _) in OLD_INDEXES.items():
        op.drop_index(name, table)
    for table in (CALLS, CHATS):
        _add_moment(table)
    for name, (table, columns, present) in NEW_INDEXES.items():
        where = sa.text(f"{present} IS NOT NULL") if present else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _add_moment(table: str) -> None:
    op.add_column(table, sa.Column("happened_at", INSTANT, nullable=True))
    rows = sa.table(
        table,
        *(sa.column(name) for name in ("happened_at", "started_at", "ended_at", "created_at")),
    )
    known = sa.func.coalesce(rows.c.started_at, rows.c.ended_at, rows.c.created_at)
    op.execute(rows.update().values(happened_at=known))
    with op.batch_alter_table(table) as batch:
        batch.alter_column("happened_at", existing_type=INSTANT, nullable=False)


def downgrade() -> None:
    """Undo."""
    for name, (table, _, _) in NEW_INDEXES.items():
        op.drop_index(name, table)
    for table in (CALLS, CHATS):
        op.drop_column(table, "happened_at")
    for name, (table, columns) in OLD_INDEXES.items():
        op.create_index(name, table, columns)
    op.drop_table("three_cx_daily_totals")
