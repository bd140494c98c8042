"""The contact store ``callhelm``: the host's own contacts, calls and members."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from callhelm_threecx import phone
from callhelm_threecx.confinement import PreparedRead
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import SettingsError, StorageUnavailableError
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import (
    Contact,
    ImportReport,
    JournaledCall,
    Match,
    Member,
    NewContact,
    Organization,
    StoreOptions,
    StoreUnavailableError,
)
from callhelm_threecx.stores.callhelm import calls, confirming, keeping, members, numbers
from callhelm_threecx.stores.callhelm.ids import uuid_text
from callhelm_threecx.stores.callhelm.queries import Questions, Rows
from callhelm_threecx.stores.callhelm.rows import contact_of, marked
from callhelm_threecx.stores.callhelm.schema import HostSchema, HostTables

EXPORT_PAGE: Final = 500
ROWS_OF_A_KEY: Final = 200
"""Contacts that a lookup reads: so many share the last six digits, and no more."""

ROWS_OF_A_SEARCH: Final = 2000
"""Contacts that a search reads at most, to see which of them are meant."""

_NO_UUID: Final = "00000000-0000-0000-0000-000000000000"


class CallHelmStore:
    """Reads a host's contacts and adds to them; never changes one."""

    def __init__(self, database: Database, schema: str | None = None) -> None:
        if database.dialect != "postgresql":
            raise SettingsError(
                "THREECX_CONTACT_STORE: the callhelm store works on PostgreSQL only."
            )
        self._database = database
        self.schema = HostSchema(database, schema)
        self._questions: Questions | None = None
        self._lock = threading.Lock()

    @classmethod
    def from_options(cls, options: StoreOptions) -> "CallHelmStore":
        """The entry point's factory. ``schema`` names the schema of the host's tables, which are
        looked for along the search path otherwise.

        A database that does not answer is asked for its tables again when they are needed. Raises
        `SettingsError` for a table or column that is missing.
        """
        unknown = sorted(set(options) - {"schema"})
        if unknown:
            raise SettingsError(
                "THREECX_CONTACT_STORE_OPTIONS: the callhelm store takes schema, "
                f"not {unknown[0]!r}."
            )
        schema = options.get("schema")
        if schema is not None and not (isinstance(schema, str) and schema):
            raise SettingsError("THREECX_CONTACT_STORE_OPTIONS: schema is no name of a schema.")
        store = cls(options.database, schema)
        with suppress(StoreUnavailableError):  # readiness will say so
            store.check()
        return store

    def check(self) -> None:
        """See `callhelm_threecx.stores.base.CheckedAtStart.check`."""
        try:
            self.schema.tables()
        except StorageUnavailableError as ex:
            raise StoreUnavailableError(ex.message) from ex

    def health(self) -> None:
        """See `ContactStore.health`."""
        self._ask()
        try:
            self._database.ping()
        except StorageUnavailableError as ex:
            raise StoreUnavailableError(ex.message) from ex

    def find_by_number(
        self, organization: Organization, text: str, *, limit: int = 10
    ) -> Sequence[Match]:
        """See `ContactStore.find_by_number`: one query, and a second one when several contacts are
        the owners alike."""
        wanted = phone.candidates(text, organization.region)
        if wanted is None or uuid_text(organization.id) is None:
            return []
        parameters = {
            "keys": numbers.keys_of_search(wanted, organization.region),
            "national": numbers.national_part(wanted.exact[0], organization.region),
            "most": max(limit, ROWS_OF_A_KEY),
        }
        rows = self._database.fetch(organization.id, self._ask().by_number, parameters)
        matches: list[Match] = []
        for rank, alike in confirming.owners(rows, wanted, organization.region).items():
            last_calls = self._last_calls(organization, list(alike))
            contacts = confirming.latest_first(alike, last_calls)
            matches += [Match(contact, exact=rank < len(wanted.exact)) for contact in contacts]
            if len(matches) >= limit:
                break
        return matches[:limit]

    def find_by_email(
        self, organization: Organization, email: str, *, limit: int = 10
    ) -> Sequence[Contact]:
        """See `ContactStore.find_by_email`."""
        address = email.strip()
        if not address or uuid_text(organization.id) is None:
            return []
        parameters = {"email": address.lower(), "most": limit}
        rows = self._database.fetch(organization.id, self._ask().by_email, parameters)
        return [marked(row, contact_of(row, organization.region)) for row in rows]

    def search(
        self, organization: Organization, query: str, *, limit: int = 20
    ) -> Sequence[Contact]:
        """See `ContactStore.search`. Contacts in whose names the words stand as they were asked for
        come first."""
        terms = folding.search_terms(query)
        if not terms or uuid_text(organization.id) is None:
            return []
        questions = self._ask()
        found: dict[str, Contact] = {}
        by_name = questions.by_name(query)
        if by_name is not None:
            found = self._confirmed(organization, by_name, terms, limit)
        if len(found) < limit:
            by_words = questions.by_words(terms, organization.region)
            for key, contact in self._confirmed(organization, by_words, terms, limit).items():
                found.setdefault(key, contact)
        return list(found.values())[:limit]

    @retry_when_passing
    def get(self, organization: Organization, contact_id: str) -> Contact | None:
        """See `ContactStore.get`."""
        key = uuid_text(contact_id)
        if key is None or uuid_text(organization.id) is None:
            return None
        with self._database.read(organization.id) as session:
            row = session.execute(self._ask().by_id, {"id": key}).first()
        return marked(row, contact_of(row, organization.region)) if row else None

    def create(self, organization: Organization, contact: NewContact) -> tuple[Contact, bool]:
        """See `ContactStore.create`: a transaction of its own."""
        with self._database.write(organization.id) as session:
            return self.create_within(session, organization, contact)

    def create_within(
        self, session: Session, organization: Organization, contact: NewContact
    ) -> tuple[Contact, bool]:
        """See `TransactionalContacts.create_within`."""
        return keeping.create(session, self._ask(), organization, contact)

    def touch_within(self, session: Session, contact_id: str, at: datetime) -> None:
        """Nothing: a contact's last call is known from the host's calls."""

    def add_call_within(
        self, session: Session, organization: Organization, call: JournaledCall
    ) -> None:
        """See `TransactionalCalls.add_call_within`."""
        calls.insert_call(session, self._tables(), organization, call)

    @retry_when_passing
    def members(self, organization: Organization) -> Sequence[Member]:
        """See `Members.members`."""
        if uuid_text(organization.id) is None:
            return []
        with self._database.read(organization.id) as session:
            return members.every_member(session, self._tables())

    def find_members_within(
        self,
        session: Session,
        *,
        ids: Sequence[str] = (),
        extension: str = "",
        emails: Sequence[str] = (),
    ) -> Sequence[Member]:
        """See `Members.find_members_within`."""
        return members.find_members(
            session, self._tables(), ids=ids, extension=extension, emails=emails
        )

    def import_batch(self, organization: Organization, batch: Sequence[NewContact]) -> ImportReport:
        """See `BulkContacts.import_batch`."""
        with self._database.write(organization.id) as session:
            return keeping.import_batch(session, self._ask(), organization, batch)

    def export(self, organization: Organization) -> Iterator[Contact]:
        """See `BulkContacts.export`."""
        after = _NO_UUID
        while uuid_text(organization.id) is not None:
            with self._database.read(organization.id) as session:
                page = {"after": after, "most": EXPORT_PAGE}
                rows = session.execute(self._ask().page, page).all()
            if not rows:
                return
            yield from (contact_of(row, organization.region) for row in rows)
            after = rows[-1][0]

    def _tables(self) -> HostTables:
        return self._ask().tables

    def _ask(self) -> Questions:
        """The statements; as the database does not answer, or has not the tables, this is no time
        for questions."""
        questions = self._questions
        if questions is None:
            try:
                tables = self.schema.tables()
            except (StorageUnavailableError, SettingsError) as ex:
                raise StoreUnavailableError(ex.message) from ex
            with self._lock:
                if self._questions is None:
                    self._questions = Questions(tables)
                questions = self._questions
        return questions

    def _confirmed(
        self, organization: Organization, statement: Rows, terms: Sequence[str], limit: int
    ) -> dict[str, Contact]:
        """Contacts of the rows in which the terms really occur, by id, in the order of the rows."""
        found: dict[str, Contact] = {}
        # How rare the words are decides by which index they are best looked for.
        read = PreparedRead(statement, planned_anew=True)
        for most in (2 * limit, ROWS_OF_A_SEARCH):
            rows = self._database.fetch(organization.id, read, {"most": most})
            found = dict(confirming.named(rows, terms, organization.region))
            if len(found) >= limit or len(rows) < most:
                break
        return found

    @retry_when_passing
    def _last_calls(self, organization: Organization, ids: Sequence[str]) -> dict[str, datetime]:
        """When contacts that are equal otherwise last had a call."""
        if len(ids) < 2 or not self._tables().calls.has("contact_id"):
            return {}
        with self._database.read(organization.id) as session:
            rows = session.execute(self._ask().last_calls, {"ids": ids}).all()
        return dict(tuple(row) for row in rows)
