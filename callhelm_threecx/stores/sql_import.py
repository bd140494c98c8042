"""Keeping contacts of the ``sql`` store once: by their external id, else by number and name."""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.models import ContactPhoneRow, ContactRow
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, ImportReport, NewContact, Organization
from callhelm_threecx.stores.sql_rows import (
    CONTACT_COLUMNS,
    contacts_of,
    fill,
    new_contact_row,
    phone_rows,
)


def existing_id(
    session: Session, organization: Organization, contact: NewContact
) -> uuid.UUID | None:
    """The id of the contact that this one is, if it is there already."""
    return _Known(session, organization, [contact]).id_of(contact)


def id_of_identity(session: Session, row: ContactRow) -> uuid.UUID:
    """The id of the row that kept this one out by a unique constraint."""
    if row.external_id is not None:  # such a row has no identity, and the other way round
        same = col(ContactRow.external_id) == row.external_id
    else:
        same = col(ContactRow.identity) == row.identity
    return session.execute(select(col(ContactRow.id)).where(same)).scalars().one()


def import_batch(
    session: Session, organization: Organization, batch: Sequence[NewContact]
) -> ImportReport:
    """Create what is new and update what is known, in the caller's transaction."""
    report = ImportReport()
    known = _Known(session, organization, batch)
    phones: list[ContactPhoneRow] = []  # of new contacts; rows are written many at a time
    for index, contact in enumerate(batch):
        if not contact.is_named:
            report.refused.append((index, "has neither a name nor a company"))
            continue
        contact_id = known.id_of(contact)
        if contact_id is None:
            row = new_contact_row(organization, contact)
            session.add(row)
            phones += phone_rows(organization, row.id, contact)
            known.add(contact, row.id)
            report.created += 1
            continue
        _write_new(session, phones)
        if _update(session, organization, contact_id, contact):
            report.updated += 1
        else:
            report.unchanged += 1
    _write_new(session, phones)
    return report


def _write_new(session: Session, phones: list[ContactPhoneRow]) -> None:
    session.flush()  # a phone refers to its contact
    session.add_all(phones)
    session.flush()
    phones.clear()


def _update(
    session: Session, organization: Organization, contact_id: uuid.UUID, contact: NewContact
) -> bool:
    """Bring a contact up to date; False when nothing of it changed."""
    before = _read(session, [contact_id])[0]
    row = session.get_one(ContactRow, contact_id)
    numbers = folding.parsed_phones(contact, organization.region)
    if _same(before, contact, numbers):
        return False
    fill(row, contact, numbers)
    if row.identity is not None:
        row.identity = folding.identity(contact, numbers)
    session.execute(
        delete(ContactPhoneRow)
        .where(col(ContactPhoneRow.contact_id) == contact_id)
        .execution_options(synchronize_session=False)
    )
    session.add_all(phone_rows(organization, contact_id, contact))
    return True


def _same(before: Contact, contact: NewContact, numbers: Sequence[folding.ParsedPhone]) -> bool:
    old = (before.first_name, before.last_name, before.company, before.email, before.external_id)
    new = (contact.first_name, contact.last_name, contact.company, contact.email)
    phones_before = [(phone.type, phone.number, phone.extension) for phone in before.phones]
    phones_now = [(kind, number.canonical, number.extension) for kind, number in numbers]
    return old == (*new, contact.external_id) and phones_before == phones_now


def _read(session: Session, ids: Iterable[uuid.UUID]) -> list[Contact]:
    rows = session.execute(
        select(*CONTACT_COLUMNS)
        .select_from(ContactRow)
        .outerjoin(ContactPhoneRow, col(ContactPhoneRow.contact_id) == col(ContactRow.id))
        .where(col(ContactRow.id).in_(list(ids)))
        .order_by(col(ContactRow.id), col(ContactPhoneRow.position))
    ).all()
    return contacts_of(rows)


class _Known:
    """The contacts that a batch may mean, read at once."""

    def __init__(
        self, session: Session, organization: Organization, batch: Sequence[NewContact]
    ) -> None:
        self._organization = organization
        self._by_external_id = self._read_external_ids(session, batch)
        self._by_number_and_name: dict[tuple[str, str], uuid.UUID] = {}
        self._by_identity: dict[str, uuid.UUID] = {}
        anonymous = [contact for contact in batch if not contact.external_id]
        self._read_numbers(session, anonymous)
        self._read_identities(session, anonymous)

    def id_of(self, contact: NewContact) -> uuid.UUID | None:
        """The id of the contact that is meant, or None."""
        if contact.external_id:
            return self._by_external_id.get(contact.external_id)
        for digits in self._digits(contact):
            found = self._by_number_and_name.get((digits, folding.name_key(contact)))
            if found is not None:
                return found
        return self._by_identity.get(self._identity(contact))

    def add(self, contact: NewContact, contact_id: uuid.UUID) -> None:
        """Remember a contact that the batch itself created."""
        if contact.external_id:
            self._by_external_id[contact.external_id] = contact_id
        for digits in self._digits(contact):
            key = (digits, folding.name_key(contact))
            self._by_number_and_name.setdefault(key, contact_id)
        self._by_identity.setdefault(self._identity(contact), contact_id)

    def _digits(self, contact: NewContact) -> list[str]:
        numbers = folding.parsed_phones(contact, self._organization.region)
        return [number.digits for _, number in numbers]

    def _identity(self, contact: NewContact) -> str:
        numbers = folding.parsed_phones(contact, self._organization.region)
        return folding.identity(contact, numbers)

    @staticmethod
    def _read_external_ids(session: Session, batch: Sequence[NewContact]) -> dict[str, uuid.UUID]:
        wanted = {contact.external_id for contact in batch if contact.external_id}
        if not wanted:
            return {}
        columns = col(ContactRow.external_id), col(ContactRow.id)
        statement = select(*columns).where(col(ContactRow.external_id).in_(wanted))
        return {str(external): key for external, key in session.execute(statement)}

    def _read_numbers(self, session: Session, batch: Sequence[NewContact]) -> None:
        tails = {digits[::-1] for contact in batch for digits in self._digits(contact)}
        if not tails:
            return
        rows = session.execute(
            select(
                col(ContactPhoneRow.tail),
                col(ContactRow.id),
                col(ContactRow.first_name),
                col(ContactRow.last_name),
                col(ContactRow.company),
            )
            .join(ContactRow, col(ContactRow.id) == col(ContactPhoneRow.contact_id))
            .where(col(ContactPhoneRow.tail).in_(tails))
            .order_by(col(ContactRow.id))
        )
        for tail, key, first_name, last_name, company in rows:
            name = folding.name_key(NewContact(first_name, last_name, company))
            self._by_number_and_name.setdefault((tail[::-1], name), key)

    def _read_identities(self, session: Session, batch: Sequence[NewContact]) -> None:
        wanted = {self._identity(contact) for contact in batch}
        if not wanted:
            return
        columns = col(ContactRow.identity), col(ContactRow.id)
        statement = select(*columns).where(col(ContactRow.identity).in_(wanted))
        self._by_identity = {str(identity): key for identity, key in session.execute(statement)}
