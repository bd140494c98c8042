"""Contacts of the ``sql`` store as rows, both ways."""

import uuid
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
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
    return [contact_of(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]


def contact_of(rows: Sequence[Sequence[Any]]) -> Contact:
    """The contact whose rows these are: one for each phone."""
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


def key_of(contact_id: str) -> uuid.UUID | None:
    """The key of a contact of this store; None for an id that no contact of it can have."""
    try:
        return uuid.UUID(contact_id)
    except ValueError:
        return None


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
    for name, value in fields_of_row(contact, numbers).items():
        setattr(row, name, value)
    row.updated_at = utc_now()


def fields_of_row(
    contact: NewContact, numbers: Sequence[folding.ParsedPhone]
) -> dict[str, str | None]:
    """The columns of a contact's row that follow from the contact alone."""
    return {
        "external_id": contact.external_id or None,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "company": contact.company,
        "email": contact.email,
        "email_folded": contact.email.casefold() or None,
        "search_text": folding.search_text(contact, numbers),
    }


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
