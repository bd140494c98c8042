"""A call, a chat, and what became of them."""

from typing import Any

from callhelm_threecx.db import Database
from callhelm_threecx.models import EventRow
from callhelm_threecx.stores.base import NewContact, Organization, Phone

ACME, OTHER = Organization("acme", "DE"), Organization("other", "DE")
ANNA = NewContact("Anna", "M\u00fcller", phones=(Phone("030 123456"),), email="anna@example.com")
CALL = {
    "CallType": "Inbound",
    "Number": "+4930123456",
    "Agent": "101",
    "CallStartTimeUTC": "2026-11-22T08:35:00Z",
    "CallEndTimeUTC": "2026-11-22T08:36:00Z",
}
CHAT = {
    "ChatMessages": "Hello",
    "Number": "+4930123456",
    "Agent": "101",
    "ChatStartTimeUTC": "2026-11-22T08:35:00Z",
}


def kept(database: Database, table: Any, organization: str = "acme") -> list[Any]:
    with database.read(organization) as session:
        return list(session.query(table).order_by(table.id).all())


def journal_events(database: Database) -> list[EventRow]:
    return [e for e in kept(database, EventRow) if e.event_type in {"journal", "chat"}]
