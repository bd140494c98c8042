"""Contacts of the ``sql`` store under the hands of people: pages, changes, deletion and undo.

Every function works in the session that it is given, which is confined to the organization.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Executable, delete, literal, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.confinement import insert_unless_present
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.models import ContactPhoneRow, ContactRow, utc_now
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import (
    Contact,
    InvalidContactError,
    NewContact,
    Organization,
)
from callhelm_threecx.stores.cursors import cursor_of, read_cursor
from callhelm_threecx.stores.editing import (
    ContactChangedError,
    ContactPage,
    DeletedContact,
    DuplicateContactError,
    edition_of,
)
from callhelm_threecx.stores.sql_identities import settled_identities
from callhelm_threecx.stores.sql_rows import (
    CONTACT_COLUMNS,
    contacts_of,
    fill,
    key_of,
    number_rows,
    with_phones,
)

_NEWEST_FIRST = (col(ContactRow.last_active_at).desc(), col(ContactRow.id).desc())


def page(session: Session, *, limit: int, cursor: str | None) -> ContactPage:
    """See `EditableContacts.browse`: one statement, on the index by activity."""
    rows = session.execute(_page_statement(limit + 1, cursor)).all()
    contacts = contacts_of(rows)
    if len(contacts) <= limit:
        return ContactPage(contacts, None)
    last = contacts[limit - 1]
    if last.last_active_at is None:  # the column takes no null
        raise AssertionError("a contact without an instant")
    return ContactPage(contacts[:limit], cursor_of(last.last_active_at, uuid.UUID(last.id)))


def _page_statement(most: int, cursor: str | None) -> Executable:
    activity = (col(ContactRow.last_active_at), col(ContactRow.id))
    ids = select(*activity).order_by(*_NEWEST_FIRST).limit(most)
    if cursor:
        at, key = read_cursor(cursor)
        place = tuple_(col(ContactRow.last_active_at), col(ContactRow.id))
        ids = ids.where(
            place < tuple_(_bound(ContactRow.last_active_at, at), _bound(ContactRow.id, key))
        )
    best = ids.subquery()
    return with_phones(best.c.id, best.c.last_active_at.desc(), best.c.id.desc())


def _bound(column: Any, value: Any) -> Any:
    """A value bound with a column's type, for comparisons of tuples."""
    return literal(value, column.type)


def change(
    session: Session,
    organization: Organization,
    contact_id: str,
    contact: NewContact,
    edition: str | None,
) -> Contact:
    """See `EditableContacts.update`."""
    if not contact.is_named:
        raise InvalidContactError("A contact needs a first name, a last name or a company.")
    row, before = _held(session, contact_id, edition)
    numbers = folding.parsed_phones(contact, organization.region)
    if edition_of(folding.kept(before.id, contact, numbers)) == edition_of(before):
        return before
    _refuse_duplicates(
        session, row.id, before, contact, folding.places(contact, organization.region)
    )
    fill(row, contact, numbers)
    (row.identity,) = settled_identities(session, [(row.identity, contact, numbers)])
    _drop_phones(session, row.id)
    session.add_all(number_rows(organization, row.id, numbers))
    _flush_unless_taken(session, contact)
    return _read(session, row.id)


def remove(session: Session, contact_id: str, edition: str | None) -> DeletedContact:
    """See `EditableContacts.delete`."""
    row, before = _held(session, contact_id, edition)
    raw = (
        select(col(ContactPhoneRow.raw))
        .where(col(ContactPhoneRow.contact_id) == row.id)
        .order_by(col(ContactPhoneRow.position))
    )
    typed = tuple(session.execute(raw).scalars())
    deleted = DeletedContact(before, typed, row.source, row.created_at)
    _drop_phones(session, row.id)
    session.delete(row)
    return deleted


def bring_back(session: Session, organization: Organization, deleted: DeletedContact) -> Contact:
    """See `EditableContacts.restore`."""
    contact = deleted.contact
    key = key_of(contact.id)
    if key is None:
        raise InvalidContactError("This is no contact of this store.")
    if session.get(ContactRow, key) is not None:
        return _read(session, key)
    fields = folding.fields_of(contact)
    numbers = folding.numbers_of(contact, deleted.typed)
    places = {number.digits: place for place, (_, number) in enumerate(numbers)}
    _refuse_duplicates(session, key, None, fields, places)
    row = ContactRow(
        id=key,
        organization_id=organization.id,
        source=deleted.source,
        last_active_at=contact.last_active_at or utc_now(),
        created_at=deleted.created_at or utc_now(),
    )
    fill(row, fields, numbers)
    (row.identity,) = settled_identities(session, [(row.identity, fields, numbers)])
    if not insert_unless_present(session, row):
        raise _taken(fields)
    session.add_all(number_rows(organization, key, numbers))
    session.flush()
    return _read(session, key)


def _held(session: Session, contact_id: str, edition: str | None) -> tuple[ContactRow, Contact]:
    """A contact and its row, which nobody else writes until the transaction ends (SQLite has one
    writer anyway). Raises `NotFoundError` and `ContactChangedError`."""
    key = key_of(contact_id)
    row = None
    if key is not None:
        held = select(ContactRow).where(col(ContactRow.id) == key).with_for_update()
        row = session.execute(held).scalars().one_or_none()
    if row is None:
        raise NotFoundError("There is no such contact.")
    contact = _read(session, row.id)
    if edition is not None and edition_of(contact) != edition:
        raise ContactChangedError(contact)
    return row, contact


def _read(session: Session, key: uuid.UUID) -> Contact:
    rows = session.execute(
        select(*CONTACT_COLUMNS)
        .outerjoin(ContactPhoneRow, col(ContactPhoneRow.contact_id) == col(ContactRow.id))
        .where(col(ContactRow.id) == key)
        .order_by(col(ContactPhoneRow.position))
    ).all()
    return contacts_of(rows)[0]


def _drop_phones(session: Session, key: uuid.UUID) -> None:
    session.execute(
        delete(ContactPhoneRow)
        .where(col(ContactPhoneRow.contact_id) == key)
        .execution_options(synchronize_session=False)
    )


def _refuse_duplicates(
    session: Session,
    key: uuid.UUID,
    before: Contact | None,
    contact: NewContact,
    places: Mapping[str, int],
) -> None:
    """Raise `DuplicateContactError` when the contact *becomes* the same as another one: two that
    were the same before may be edited in peace. ``places`` are those of its numbers among its
    phones, by their digits."""
    if contact.external_id:
        if before is None or contact.external_id != before.external_id:
            same = col(ContactRow.external_id) == contact.external_id
            _refuse_owner(session, key, same, "externalId")
        return
    name = folding.name_key(contact)
    known = (
        _digits(before) if before and folding.name_key(folding.fields_of(before)) == name else set()
    )
    _refuse_namesakes(session, key, name, {d: n for d, n in places.items() if d not in known})
    if not places:
        same = col(ContactRow.identity) == folding.identity(contact, [])
        _refuse_owner(session, key, same, "email" if contact.email else folding.name_field(contact))


def _digits(contact: Contact) -> set[str]:
    return {item.number.removeprefix("+") for item in contact.phones}


def _refuse_owner(session: Session, key: uuid.UUID, same: ColumnElement[bool], field: str) -> None:
    statement = select(col(ContactRow.id)).where(same, col(ContactRow.id) != key).limit(1)
    other = session.execute(statement).scalars().first()
    if other is not None:
        message = {
            "externalId": "another contact has it",
            "email": "another contact without a number has it, and the same name",
        }.get(field, "another contact without a number and an address has the same name")
        raise DuplicateContactError(field, message, str(other))


def _refuse_namesakes(
    session: Session, key: uuid.UUID, name: str, places: Mapping[str, int]
) -> None:
    """Raise `DuplicateContactError` when somebody else of this name has one of the numbers."""
    if not places:
        return
    owners = (
        select(
            col(ContactPhoneRow.tail),
            col(ContactRow.id),
            col(ContactRow.first_name),
            col(ContactRow.last_name),
            col(ContactRow.company),
        )
        .join(ContactRow, col(ContactRow.id) == col(ContactPhoneRow.contact_id))
        .where(
            col(ContactPhoneRow.tail).in_([digits[::-1] for digits in places]),
            col(ContactRow.id) != key,
        )
    )
    for tail, other, first_name, last_name, company in session.execute(owners):
        if folding.name_key(NewContact(first_name, last_name, company)) == name:
            message = "another contact has this number and the same name"
            raise DuplicateContactError(f"phones.{places[tail[::-1]]}", message, str(other))


def _flush_unless_taken(session: Session, contact: NewContact) -> None:
    """Write; what another transaction has just taken is told like what was taken before."""
    try:
        session.flush()
    except IntegrityError as ex:
        raise _taken(contact) from ex


def _taken(contact: NewContact) -> DuplicateContactError:
    field = "externalId" if contact.external_id else folding.name_field(contact)
    return DuplicateContactError(field, "another contact has just become the same")
