"""Contacts of the ``sql`` store as rows, both ways."""

import uuid
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session
from sqlmodel import col
from typing_extensions import Unpack

from callhelm_threecx.models import ContactPhoneRow, ContactRow, utc_now
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, NewContact, Organization, Phone, PhoneType

# What a statement selects so that `contacts_of` can read it: a row for each phone of a contact.
CONTACT_COLUMNS = (
    col(ContactRow.id),
    col(ContactRow.first_name),
    col(ContactRow.last_name),
    col(ContactRow.company),
    col(ContactRow.email),
    col(ContactRow.external_id),
    col(ContactRow.last_active_at),
    col(ContactPhoneRow.type),
    col(ContactPhoneRow.number),
    col(ContactPhoneRow.extension),
)


AllColumns = Select[Unpack[tuple[Any, ...]]]


def best_contacts(*conditions: ColumnElement[bool]) -> AllColumns:
    """Contacts that meet the conditions, the most recently active first, up to ``most``, with all
    their phones."""
    activity = (col(ContactRow.last_active_at), col(ContactRow.id))
    best = (
        select(*activity)
        .where(*conditions)
        .order_by(*(column.desc() for column in activity))
        .limit(bindparam("most"))
        .subquery()
    )
    return with_phones(best.c.id, best.c.last_active_at.desc(), best.c.id.desc())


def with_phones(found: ColumnElement[Any], *order: ColumnElement[Any]) -> AllColumns:
    """The contacts whose ids a subquery found, in its order, with all their phones.

    The outer joins, which always find the contact, tell SQLite where to begin: it would rather read
    all contacts of the organization in the order of an index than look a few of them up.
    """
    return (
        select(*CONTACT_COLUMNS)
        .select_from(found.table)
        .outerjoin(ContactRow, col(ContactRow.id) == found)
        .outerjoin(ContactPhoneRow, col(ContactPhoneRow.contact_id) == col(ContactRow.id))
        .order_by(*order, col(ContactPhoneRow.position))
    )


def contacts_of(rows: Iterable[Sequence[Any]]) -> list[Contact]:
    """Contacts from rows of `CONTACT_COLUMNS`; the rows of one contact stand together."""
    return [_contact(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]


def _contact(rows: list[Sequence[Any]]) -> Contact:
    first = rows[0]
    return Contact(
        id=str(first[0]),
        first_name=first[1],
        last_name=first[2],
        company=first[3],
        email=first[4],
        external_id=first[5] or "",
        last_active_at=first[6],
        phones=tuple(Phone(row[8], PhoneType(row[7]), row[9]) for row in rows if row[7]),
    )


def new_contact_row(organization: Organization, contact: NewContact) -> ContactRow:
    """The row of a contact that is new; only a contact without an id of its own elsewhere is told
    apart by number and name."""
    numbers = folding.parsed_phones(contact, organization.region)
    row = ContactRow(organization_id=organization.id, source=contact.source)
    fill(row, contact, numbers)
    if not contact.external_id:
        row.identity = folding.identity(contact, numbers)
    return row


def fill(row: ContactRow, contact: NewContact, numbers: Sequence[folding.ParsedPhone]) -> None:
    """Write a contact's fields, and what is derived from them, into its row."""
    row.external_id = contact.external_id or None
    row.first_name = contact.first_name
    row.last_name = contact.last_name
    row.company = contact.company
    row.email = contact.email
    row.email_folded = contact.email.casefold() or None
    row.search_text = folding.search_text(contact, numbers)
    row.updated_at = utc_now()


def settle_identities(
    session: Session,
    settled: Iterable[tuple[ContactRow, NewContact, Sequence[folding.ParsedPhone]]],
) -> None:
    """Give each row the identity by which no second contact like it is created.

    That is the one that it has, as long as one of its numbers still says so, else the first that no
    other contact has: two that have several numbers in common keep apart. A contact with an
    external id needs none.
    """
    wanted: list[tuple[ContactRow, list[str]]] = []
    for row, contact, numbers in settled:
        identities = [] if contact.external_id else folding.identities(contact, numbers)
        if row.identity not in identities:
            wanted.append((row, identities))
    every = {identity for _, identities in wanted for identity in identities}
    column = col(ContactRow.identity)
    taken = (
        set(session.execute(select(column).where(column.in_(every))).scalars()) if every else set()
    )
    for row, identities in wanted:
        row.identity = next((each for each in identities if each not in taken), None)
        taken.add(row.identity)


def phone_rows(
    organization: Organization, contact_id: uuid.UUID, contact: NewContact
) -> list[ContactPhoneRow]:
    """The rows of a contact's numbers, in the order given."""
    numbers = folding.parsed_phones(contact, organization.region)
    return number_rows(organization, contact_id, numbers)


def number_rows(
    organization: Organization, contact_id: uuid.UUID, numbers: Sequence[folding.ParsedPhone]
) -> list[ContactPhoneRow]:
    """The rows of numbers that were read already."""
    return [
        ContactPhoneRow(
            organization_id=organization.id,
            contact_id=contact_id,
            type=kind.value,
            position=position,
            raw=number.raw,
            number=number.canonical,
            extension=number.extension,
            tail=number.tail,
        )
        for position, (kind, number) in enumerate(numbers)
    ]
