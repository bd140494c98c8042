"""Calls and chats, each logged once.

The unique fingerprint of a report decides, in the database: the same report again, even at the same
time on another worker, changes nothing. One transaction holds the call, the contact when the
organization has them created, and the event; when the answer goes out, it is durable.
"""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx import phone
from callhelm_threecx.confinement import insert_unless_present
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.models import CallRow, ChatRow, new_id
from callhelm_threecx.services.attribution import attribute
from callhelm_threecx.services.ended_call import (
    EndedCall,
    common_columns,
    creates_contact,
    reported_event,
)
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


class Journal:
    """Records what a PBX reports."""

    def __init__(self, database: Database, store: ContactStore) -> None:
        self._database = database
        self._store = store
        own_contacts = isinstance(store, SqlContactStore) and database.dialect == "postgresql"
        self._at_once = NewCalls(database) if own_contacts else None
        self._keeps_calls = store if isinstance(store, TransactionalCalls) else None

    @property
    def records_together(self) -> bool:
        """Whether `record_calls` is more than `record_call` for each."""
        return self._at_once is not None

    def record_call(self, integration: Integration, body: Mapping[str, Any]) -> Recorded:
        """Record one ended call. Raises `BadInputError` for a report that cannot be read."""
        call = self._read(integration, body)
        if self._at_once is not None:
            stranger = call.may_be_a_stranger
            recorded = self._at_once.record(call, known=None, stranger=stranger)
            if recorded is not None:
                return recorded
        found = self._contact_of(integration.organization, call.report)
        if self._at_once is not None and not creates_contact(integration, found.contact_id):
            stranger = found.contact_id is None
            recorded = self._at_once.record(call, known=found, stranger=stranger)
            if recorded is not None:
                return recorded
        organization_id = integration.organization_id
        row = CallRow(organization_id=organization_id, contact_id=found.contact_id, **call.columns)
        return self._record(
            integration, call.report, row, call.event, found=found, started=call.started
        )

    def record_calls(
        self, reports: Sequence[tuple[Integration, Mapping[str, Any]]]
    ) -> list[Recorded | None]:
        """Record several ended calls, of whatever organizations, in one transaction: all that are
        recorded are durable when this returns. None for each report that `record_call` must be
        asked about, which then tells what became of it, or what is wrong with it."""
        calls: dict[int, EndedCall] = {}
        for place, (integration, body) in enumerate(reports):
            with suppress(BadInputError):
                calls[place] = self._read(integration, body)
        recorded = self._at_once.record_together([*calls.values()]) if self._at_once else []
        by_place = dict(zip(calls, recorded, strict=False))
        return [by_place.get(place) for place in range(len(reports))]

    def _read(self, integration: Integration, body: Mapping[str, Any]) -> EndedCall:
        return EndedCall.read(integration, body, keeps_texts=self._keeps_calls is None)

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
            **common_columns(report, organization),
        )
        event = reported_event(organization, EventType.CHAT, report)
        return self._record(integration, report, row, event, found=found, started=started)

    @retry_when_passing  # a PBX reports a call once, and the fingerprint makes it safe
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
        event.id = new_id()  # that try may be durable all the same, with its event
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
        if creates_contact(integration, row.contact_id):
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
