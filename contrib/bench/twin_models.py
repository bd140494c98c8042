"""The tables of the twin, as its developer declares them."""

import uuid
from datetime import datetime, timezone

from sqlmodel import Field, SQLModel


def _now() -> datetime:
    return datetime.now(timezone.utc)


class TwinIntegration(SQLModel, table=True):
    organization_id: str = Field(primary_key=True)
    key_hash: str = Field(unique=True)
    enabled: bool = True


class TwinContact(SQLModel, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    organization_id: str = Field(index=True)
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone_business: str | None = Field(default=None, index=True)
    phone_business2: str | None = Field(default=None, index=True)
    phone_mobile: str | None = Field(default=None, index=True)
    phone_mobile2: str | None = Field(default=None, index=True)
    phone_home: str | None = Field(default=None, index=True)
    phone_other: str | None = Field(default=None, index=True)
    fax_business: str | None = Field(default=None, index=True)


class TwinCall(SQLModel, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    organization_id: str
    fingerprint: str = Field(unique=True)
    contact_id: uuid.UUID | None = None
    call_type: str
    direction: str
    number: str
    name: str
    agent: str
    duration: str
    started_at: datetime
    subject: str


class TwinEvent(SQLModel, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    organization_id: str = Field(index=True)
    event_type: str
    number: str
    contact_id: uuid.UUID | None = None
    created_at: datetime = Field(default_factory=_now)
