"""Calls and chats, each logged once.

The unique fingerprint of a report decides, in the database: the same report again, even at the same
time on another worker, changes nothing. One transaction holds the call, the contact when the
organization has them created, and the event; when the answer goes out, it is durable.
"""

import uuid
from collections.abc import Mapping
from functools import partial
from time import perf_counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx import phone
from callhelm_threecx.confinement import insert_unless_present
from callhelm_threecx.db import Database, retry_when_disconnected
from callhelm_threecx.models import CallRow, ChatRow
from callhelm_threecx.services.attribution import attribute
from callhelm_threecx.services.events import Event, EventStatus, EventType, milliseconds_since
from callhelm_threecx.services.integrations import Integration
from callhelm_threecx.services.new_calls import (
    FoundContact,
    NewCalls,
    Recorded,
    active_at,
    agent_columns,
)
from callhelm_threecx.services.reports import (
    CallReport,
    ChatReport,
    Report,
    call_report,
    chat_report,
)
from callhelm_threecx.stores.base import (
    ContactStore,
    JournaledCall,
    NewContact,
    Organization,
    Phone,
    TransactionalCalls,
    TransactionalContacts,
)
from callhelm_threecx.stores.sql import SqlContactStore

__all__ = ["FoundContact", "Journal", "Recorded"]

_REPEATABLE = ("Transcription", "Summary", "ChatMessages")
"""Long texts that the call or chat itself keeps: the event does not keep them twice."""


class Journal:
    """Records what a PBX reports."""

    def __init__(self, database: Database, store: ContactStore) -> None:
        self._database = database
        self._store = store
        own_contacts = isinstance(store, SqlContactStore) and database.dialect == "postgresql"
        self._at_once = NewCalls(database) if own_contacts else None
        self._keeps_calls = store if isinstance(store, TransactionalCalls) else None

    def record_call(self, integration: Integration, body: Mapping[str, Any]) -> Recorded:
        """Record one ended call. Raises `BadInputError` for a report that cannot be read."""
        started = perf_counter()
        report = call_report(body)
        organization = integration.organization
        columns = {
            "fingerprint": report.fingerprint(organization.id, organization.region),
            "call_type": report.call_type.value,
            "direction": report.direction.value,
            "sentiment": report.sentiment,
            **_common_columns(report, organization),
        }
        if self._keeps_calls is None:  # else the store keeps the long texts
            columns["recording_url"] = report.recording_url
            columns["transcription"] = report.transcription
            columns["summary"] = report.summary
        event = _event(organization, EventType.JOURNAL, report)
        event.call_direction = report.direction.value
        event.call_type = report.call_type.value
        if self._at_once is not None:
            record = partial(self._at_once.record, organization, report, columns, event)
            stranger = _may_be_a_stranger(integration, report)
            recorded = record(known=None, stranger=stranger, started=started)
            if recorded is not None:
                return recorded
        found = self._contact_of(organization, report)
        if self._at_once is not None and not _creates_contact(integration, found):
            stranger = found.contact_id is None
            recorded = record(known=found, stranger=stranger, started=started)
            if recorded is not None:
                return recorded
        row = CallRow(organization_id=organization.id, contact_id=found.contact_id, **columns)
        return self._record(integration, report, row, event, found=found, started=started)

    def record_chat(self, integration: Integration, body: Mapping[str, Any]) -> Recorded:
        """Record one ended chat. Raises `BadInputError` for a report that cannot be read."""
        started = perf_counter()
        report = chat_report(body)
        organization = integration.organization
        found = self._contact_of(organization, report)
        row = ChatRow(
            organization_id=organization.id,
            fingerprint=report.fingerprint(organization.id, organization.region),
            messages=report.messages,
            email=report.party.email,
            contact_id=found.contact_id,
            **_common_columns(report, organization),
        )
        event = _event(organization, EventType.CHAT, report)
        return self._record(integration, report, row, event, found=found, started=started)

    @retry_when_disconnected  # a PBX reports a call once, and the fingerprint makes it safe
    def _record(
        self,
        integration: Integration,
        report: CallReport | ChatReport,
        row: CallRow | ChatRow,
        event: Event,
        *,
        found: FoundContact,
        started: float,
    ) -> Recorded:
        row.contact_id = found.contact_id  # not one that a failed first try created
        with self._database.write(integration.organization_id) as session:
            attribution = attribute(session, report.agent, self._store)
            for name, value in agent_columns(attribution, vars(row)).items():
                setattr(row, name, value)
            if insert_unless_present(session, row):
                duplicate = False
                self._follow_up(session, integration, report, row)
                is_created = row.contact_id != found.contact_id
                event.raw_data["contactFoundBy"] = "created" if is_created else found.by
                if isinstance(row, CallRow) and isinstance(report, CallReport):
                    self._hand_over(session, integration.organization, report, row)
            else:
                duplicate = True
                row.id, row.contact_id = _already_there(session, row)
                event.status = EventStatus.DUPLICATE
            event.call_id, event.contact_id = str(row.id), row.contact_id
            event.raw_data["attributedBy"] = row.attributed_by
            event.latency_ms = milliseconds_since(started)
            session.add(event.row())
        return Recorded(str(row.id), row.contact_id, row.agent_id, duplicate)

    def _contact_of(self, organization: Organization, report: Report) -> FoundContact:
        """The contact that the report names, if it is the organization's own; else the owner of
        the number, if it is exactly theirs or nobody else's number ends so; else of the address."""
        party = report.party
        if party.entity_id:
            contact = self._store.get(organization, party.entity_id)
            if contact is not None:
                return FoundContact(contact.id, "id")
        if party.number:
            matches = self._store.find_by_number(organization, party.number, limit=2)
            if matches and (matches[0].exact or len(matches) == 1):
                by = "number" if matches[0].exact else "last_digits"
                return FoundContact(matches[0].contact.id, by)
        if party.email:
            found = self._store.find_by_email(organization, party.email, limit=1)
            if found:
                return FoundContact(found[0].id, "email")
        return FoundContact()

    def _follow_up(
        self,
        session: Session,
        integration: Integration,
        report: Report,
        row: CallRow | ChatRow,
    ) -> None:
        """What a new entry entails for contacts: one is created, or was active just now."""
        organization = integration.organization
        if _creates_contact(integration, FoundContact(row.contact_id)):
            contact = _contact_from(report, organization.region)
            if contact is not None:
                row.contact_id = self._create(session, organization, contact)
                stored = session.get_one(type(row), row.id)
                stored.contact_id = row.contact_id
        elif row.contact_id is not None and isinstance(self._store, TransactionalContacts):
            self._store.touch_within(session, row.contact_id, active_at(report))

    def _hand_over(
        self, session: Session, organization: Organization, report: CallReport, row: CallRow
    ) -> None:
        """Give a new call to a store that keeps calls; our row remembers that it was reported."""
        if self._keeps_calls is not None:
            call = _journaled(report, row)
            self._keeps_calls.add_call_within(session, organization, call)

    def _create(self, session: Session, organization: Organization, contact: NewContact) -> str:
        if isinstance(self._store, TransactionalContacts):
            return self._store.create_within(session, organization, contact)[0].id
        return self._store.create(organization, contact)[0].id


def _may_be_a_stranger(integration: Integration, report: Report) -> bool:
    """Whether a call without a contact by id or by its whole number is a stranger's: there is no
    other way to find one, and none is to be created."""
    party = report.party
    if party.email or integration.allows("auto_create_contacts"):
        return False
    region = integration.organization.region
    wanted = phone.candidates(party.number, region) if party.number else None
    return wanted is None or not wanted.suffix


def _creates_contact(integration: Integration, found: FoundContact) -> bool:
    """Whether a contact is to be created for an unknown party, if it has a number."""
    return found.contact_id is None and integration.allows("auto_create_contacts")


def _common_columns(report: Report, organization: Organization) -> dict[str, Any]:
    return {
        "number": report.party.canonical_number(organization.region),
        "name": report.party.name,
        "agent_extension": report.agent.extension,
        "agent_email": report.agent.email,
        "agent_name": report.agent.name,
        "queue_extension": report.queue_extension,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "duration_seconds": report.duration_seconds,
        "subject": report.subject,
    }


def _journaled(report: CallReport, row: CallRow) -> JournaledCall:
    return JournaledCall(
        id=row.id,
        call_type=row.call_type,
        direction=row.direction,
        number=row.number,
        name=row.name,
        contact_id=row.contact_id,
        agent_extension=row.agent_extension,
        agent_email=row.agent_email,
        agent_name=row.agent_name,
        member_id=row.agent_id,
        attributed_by=row.attributed_by,
        queue_extension=row.queue_extension,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_seconds=row.duration_seconds,
        subject=row.subject,
        recording_url=report.recording_url,
        transcription=report.transcription,
        summary=report.summary,
        sentiment=row.sentiment,
        report=report.raw,
    )


def _already_there(session: Session, row: CallRow | ChatRow) -> tuple[uuid.UUID, str | None]:
    table = type(row)
    columns = select(col(table.id), col(table.contact_id))
    found = session.execute(columns.where(col(table.fingerprint) == row.fingerprint)).one()
    return found[0], found[1]


def _event(organization: Organization, kind: EventType, report: Report) -> Event:
    return Event(
        organization.id,
        kind,
        phone_number=report.party.canonical_number(organization.region),
        agent_extension=report.agent.extension,
        duration_seconds=report.duration_seconds,
        call_start_time=report.started_at,
        call_end_time=report.ended_at,
        raw_data={name: text for name, text in report.raw.items() if name not in _REPEATABLE},
    )


def _contact_from(report: Report, region: str) -> NewContact | None:
    """A contact for an unknown party: under the name that the PBX shows, else under the number.

    None for a withheld number, which would make one contact of all who withhold theirs.
    """
    party = report.party
    number = phone.parse(party.number, region) if party.number else None
    if number is None:
        return None
    name = party.name if phone.parse(party.name, region) is None else ""
    first, _, last = name.partition(" ")
    return NewContact(
        first_name=first if last else "",
        last_name=last.strip() or first or phone.display(number.canonical),
        email=party.email,
        phones=(Phone(party.number),),
        source="3cx-journal",
    )
