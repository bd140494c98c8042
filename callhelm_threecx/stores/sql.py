"""The default store: contacts and their numbers in the product's own database.

A number is looked up by its reversed digits (``tail``): one index answers "exactly these digits"
and "ends with these digits". A lookup is one statement that also brings all phones of a contact.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, ClassVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from callhelm_threecx import phone
from callhelm_threecx.confinement import (
    CrossOrganizationError,
    PreparedRead,
    insert_unless_present,
)
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import SettingsError, StorageUnavailableError
from callhelm_threecx.models import ContactPhoneRow, ContactRow
from callhelm_threecx.stores import folding, sql_import
from callhelm_threecx.stores.base import (
    Contact,
    InvalidContactError,
    Match,
    NewContact,
    Organization,
    StoreOptions,
    StoreUnavailableError,
)
from callhelm_threecx.stores.sql_capabilities import SqlCapabilities
from callhelm_threecx.stores.sql_owner import tail_parameters
from callhelm_threecx.stores.sql_rows import (
    CONTACT_COLUMNS,
    best_contacts,
    contact_of,
    contacts_of,
    key_of,
    new_contact_row,
    phone_rows,
)
from callhelm_threecx.stores.sql_search import ContactSearch

EXPORT_PAGE = 500
ROWS_FOR_A_CONTACT = 20
"""A lookup brings a row for each phone of each contact: so many, on average, and no more."""


class SqlContactStore(SqlCapabilities):
    """Contacts with any number of phones, found by one indexed query."""

    heeds_patience: ClassVar[bool] = True

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._search = ContactSearch(database)

    @classmethod
    def from_options(cls, options: StoreOptions) -> "SqlContactStore":
        """The entry point's factory: the store lives in the product's own database."""
        if options:
            raise SettingsError(
                f"THREECX_CONTACT_STORE_OPTIONS: the sql store takes none, not {min(options)!r}."
            )
        return cls(options.database)

    def find_by_number(
        self, organization: Organization, text: str, *, limit: int = 10
    ) -> Sequence[Match]:
        """See `ContactStore.find_by_number`: one indexed query."""
        wanted = phone.candidates(text, organization.region)
        if wanted is None:
            return []
        tails = tail_parameters(wanted.exact_tails)
        parameters: dict[str, Any] = {"most": limit * ROWS_FOR_A_CONTACT, **tails}
        if wanted.tail_range is not None:
            parameters["low"], parameters["high"] = wanted.tail_range
        read = _by_number(len(tails), by_suffix=wanted.tail_range is not None)
        rows = self._database.fetch(organization.id, read, parameters)
        return _matches(wanted, rows)[:limit]

    def find_by_email(
        self, organization: Organization, email: str, *, limit: int = 10
    ) -> Sequence[Contact]:
        """See `ContactStore.find_by_email`."""
        folded = email.strip().casefold()
        if not folded:
            return []
        rows = self._rows(organization, _BY_EMAIL, {"email": folded, "most": limit})
        return contacts_of(rows)

    def search(
        self, organization: Organization, query: str, *, limit: int = 20
    ) -> Sequence[Contact]:
        """See `ContactStore.search`."""
        terms = folding.search_terms(query)
        if not terms:
            return []
        return self._search.find(organization, terms, limit)

    @retry_when_passing
    def get(self, organization: Organization, contact_id: str) -> Contact | None:
        """See `ContactStore.get`."""
        with self._database.read(organization.id) as session:
            return _get(session, contact_id)

    def create(self, organization: Organization, contact: NewContact) -> tuple[Contact, bool]:
        """See `ContactStore.create`: a transaction of its own."""
        with self._database.write(organization.id) as session:
            return self.create_within(session, organization, contact)

    def create_within(
        self, session: Session, organization: Organization, contact: NewContact
    ) -> tuple[Contact, bool]:
        """See `TransactionalContacts.create_within`."""
        if not contact.is_named:
            raise InvalidContactError("A contact needs a first name, a last name or a company.")
        existing = sql_import.existing_id(session, organization, contact)
        if existing is None:
            row = new_contact_row(organization, contact)
            if insert_unless_present(session, row):
                session.add_all(phone_rows(organization, row.id, contact))
                session.flush()
                return _known(session, row.id), True
            existing = sql_import.id_of_identity(session, row)
        return _known(session, existing), False

    def touch_within(self, session: Session, contact_id: str, at: datetime) -> None:
        """See `TransactionalContacts.touch_within`."""
        key = key_of(contact_id)
        if key is not None:
            session.execute(
                update(ContactRow)
                .where(col(ContactRow.id) == key, col(ContactRow.last_active_at) < at)
                .values(last_active_at=at)
                .execution_options(synchronize_session=False)
            )

    def export(self, organization: Organization) -> Iterator[Contact]:
        """See `BulkContacts.export`."""
        after = uuid.UUID(int=0)
        while True:
            with self._database.read(organization.id) as session:
                rows = session.execute(_PAGE, {"after": after, "most": EXPORT_PAGE}).all()
            if not rows:
                return
            yield from contacts_of(rows)
            after = rows[-1][0]

    def health(self) -> None:
        """See `ContactStore.health`."""
        try:
            self._database.ping()
        except StorageUnavailableError as ex:
            raise StoreUnavailableError(ex.message) from ex

    @retry_when_passing
    def _rows(
        self, organization: Organization, statement: Executable, parameters: dict[str, Any]
    ) -> Sequence[Any]:
        with self._database.read(organization.id) as session:
            return session.execute(statement, parameters).all()


@cache
def _by_number(tails: int, *, by_suffix: bool) -> PreparedRead:
    """Owners of a number with one of so many tails (or whose digits end so): exact ones first,
    then the most recently active first, each with all phones and the tail that matched."""
    matching = aliased(ContactPhoneRow)
    tail = col(matching.tail)
    is_exact = tail.in_([bindparam(f"tail_{index}", type_=Text) for index in range(tails)])
    matches: ColumnElement[bool] = is_exact
    if by_suffix:
        low, high = bindparam("low", type_=Text), bindparam("high", type_=Text)
        matches = or_(is_exact, and_(tail >= low, tail < high))
    activity = (col(ContactRow.last_active_at).desc(), col(ContactRow.id).desc())
    exact_first = [case((is_exact, 0), else_=1)] if by_suffix else []
    return PreparedRead(
        select(*CONTACT_COLUMNS, tail)
        .select_from(matching)
        .join(ContactRow, col(ContactRow.id) == col(matching.contact_id))
        .join(ContactPhoneRow, col(ContactPhoneRow.contact_id) == col(ContactRow.id))
        .where(matches)
        .order_by(*exact_first, *activity, tail, col(ContactPhoneRow.position))
        .limit(bindparam("most", type_=Integer))
    )


def _matches(wanted: phone.Candidates, rows: Sequence[Sequence[Any]]) -> list[Match]:
    """Contacts from rows of `_by_number`, best reading first, in the order of the rows."""
    if len(rows) == 1:  # one contact with one number, as most have
        rank = wanted.rank(rows[0][-1][::-1])
        return [] if rank is None else [Match(contact_of(rows), rank < len(wanted.exact))]
    best: dict[Any, tuple[int, str]] = {}  # rank and tail, by contact
    for row in rows:
        key, tail = row[0], row[-1]
        rank = wanted.rank(tail[::-1])
        if rank is not None and (key not in best or rank < best[key][0]):
            best[key] = rank, tail
    contacts = contacts_of(row for row in rows if row[0] in best and row[-1] == best[row[0]][1])
    ranks = {str(key): rank for key, (rank, _) in best.items()}
    found = sorted(((ranks[contact.id], contact) for contact in contacts), key=itemgetter(0))
    return [Match(contact, exact=rank < len(wanted.exact)) for rank, contact in found]


_BY_EMAIL = best_contacts(col(ContactRow.email_folded) == bindparam("email"))
_BY_ID = best_contacts(col(ContactRow.id) == bindparam("id"))
_PAGE_IDS = (
    select(col(ContactRow.id))
    .where(col(ContactRow.id) > bindparam("after"))
    .order_by(col(ContactRow.id))
    .limit(bindparam("most"))
    .subquery()
)
_PAGE = (
    select(*CONTACT_COLUMNS)
    .select_from(_PAGE_IDS)
    .join(ContactRow, col(ContactRow.id) == _PAGE_IDS.c.id)
    .outerjoin(ContactPhoneRow, col(ContactPhoneRow.contact_id) == col(ContactRow.id))
    .order_by(col(ContactRow.id), col(ContactPhoneRow.position))
)


def _get(session: Session, contact_id: str) -> Contact | None:
    key = key_of(contact_id)
    if key is None:
        return None
    rows = session.execute(_BY_ID, {"id": key, "most": 1}).all()
    return next(iter(contacts_of(rows)), None)


def _known(session: Session, contact_id: uuid.UUID) -> Contact:
    contact = _get(session, str(contact_id))
    if contact is None:
        raise CrossOrganizationError("A contact vanished from its own transaction.")
    return contact
