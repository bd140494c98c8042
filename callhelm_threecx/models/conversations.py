"""Calls and chats."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from callhelm_threecx.columns import ByteText, UtcInstant
from callhelm_threecx.models.base import OrganizationRow, instant, new_id


class ConversationRow(OrganizationRow):
    """What calls and chats have in common. ``fingerprint`` is unique within the organization.

    ``happened_at`` is what they are ordered by: the start, else the end, else when it was recorded.
    """

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    fingerprint: str = Field(sa_type=ByteText)
    number: str = Field(default="", sa_type=Text)
    name: str = Field(default="", sa_type=Text)
    contact_id: str | None = Field(default=None, sa_type=ByteText)
    agent_extension: str = Field(default="", sa_type=Text)
    agent_id: str | None = Field(default=None, sa_type=Text)
    agent_email: str = Field(default="", sa_type=Text)
    agent_name: str = Field(default="", sa_type=Text)
    attributed_by: str | None = Field(default=None, sa_type=Text)
    queue_extension: str = Field(default="", sa_type=Text)
    started_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    happened_at: datetime = instant()
    duration_seconds: int | None = None
    subject: str = Field(default="", sa_type=Text)
    created_at: datetime = instant()

    def __init__(self, **fields: Any) -> None:
        known = fields.get("started_at") or fields.get("ended_at")
        super().__init__(**({"happened_at": known} if known else {}) | fields)


def _conversation_indexes(table: str, *more: str) -> list[Index]:
    """The filters of a page of calls or chats, each in the order of the page. ``more`` is what else
    a filter asks of the many of one agent."""
    filters = {"time": (), "contact": ("contact_id",), "number": ("number",)}
    indexes = [
        Index(f"ix_{table}_by_{name}", "organization_id", *columns, "happened_at", "id")
        for name, columns in filters.items()
    ]
    agent = ("organization_id", "agent_extension", "happened_at", "id", *more)
    return [*indexes, Index(f"ix_{table}_by_agent", *agent)]


class CallRow(ConversationRow, table=True):
    """One ended call, once."""

    __tablename__ = "three_cx_calls"
    __table_args__ = (
        UniqueConstraint("organization_id", "fingerprint"),
        *_conversation_indexes("three_cx_calls", "call_type"),
        Index("ix_three_cx_calls_by_type", "organization_id", "call_type", "happened_at", "id"),
    )

    call_type: str = Field(sa_type=Text)
    direction: str = Field(sa_type=Text)
    recording_url: str = Field(default="", sa_type=Text)
    transcription: str = Field(default="", sa_type=Text)
    summary: str = Field(default="", sa_type=Text)
    sentiment: str = Field(default="", sa_type=Text)


class ChatRow(ConversationRow, table=True):
    """One chat, once, like a call."""

    __tablename__ = "three_cx_chats"
    __table_args__ = (
        UniqueConstraint("organization_id", "fingerprint"),
        *_conversation_indexes("three_cx_chats"),
    )

    messages: str = Field(sa_type=Text)
    email: str = Field(default="", sa_type=Text)
