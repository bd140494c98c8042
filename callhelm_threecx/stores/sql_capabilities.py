"""What the ``sql`` store can do beyond `ContactStore`: be edited by people, and plan imports."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import DeadlockError
from callhelm_threecx.stores import sql_editing, sql_import
from callhelm_threecx.stores.base import Contact, ImportReport, NewContact, Organization
from callhelm_threecx.stores.editing import ContactPage, DeletedContact
from callhelm_threecx.stores.importing import RowOutcome
from callhelm_threecx.stores.sql_known import Shadow


class SqlCapabilities:
    """`EditableContacts`, `PlannedImports`, `TransactionalImports`, and the half of `BulkContacts`
    that writes, on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_when_passing
    def browse(
        self, organization: Organization, *, limit: int = 50, cursor: str | None = None
    ) -> ContactPage:
        """See `EditableContacts.browse`."""
        with self._database.read(organization.id) as session:
            return sql_editing.page(session, limit=limit, cursor=cursor)

    def update(
        self,
        organization: Organization,
        contact_id: str,
        contact: NewContact,
        *,
        edition: str | None = None,
    ) -> Contact:
        """See `EditableContacts.update`."""
        with self._database.write(organization.id) as session:
            return sql_editing.change(session, organization, contact_id, contact, edition)

    def delete(
        self, organization: Organization, contact_id: str, *, edition: str | None = None
    ) -> DeletedContact:
        """See `EditableContacts.delete`."""
        with self._database.write(organization.id) as session:
            return sql_editing.remove(session, contact_id, edition)

    def restore(self, organization: Organization, deleted: DeletedContact) -> Contact:
        """See `EditableContacts.restore`."""
        with self._database.write(organization.id) as session:
            return sql_editing.bring_back(session, organization, deleted)

    def import_batch(self, organization: Organization, batch: Sequence[NewContact]) -> ImportReport:
        """See `BulkContacts.import_batch`."""
        try:
            return self._import(organization, batch)
        except (IntegrityError, DeadlockError):  # a call has just created or moved on a contact
            return self._import(organization, batch)

    def import_batch_within(
        self, session: Session, organization: Organization, batch: Sequence[NewContact]
    ) -> ImportReport:
        """See `TransactionalImports.import_batch_within`."""
        return sql_import.import_batch(session, organization, batch)

    def plan_import(
        self, organization: Organization, batches: Iterable[Sequence[NewContact]]
    ) -> Iterator[Sequence[RowOutcome]]:
        """See `PlannedImports.plan_import`: a few statements for each batch."""
        shadow = Shadow()
        for batch in batches:
            with self._database.read(organization.id) as session:
                decisions = sql_import.decide(session, organization, batch, shadow)
            sql_import.foreshadow(shadow, decisions)
            yield [decision.told() for decision in decisions]

    def _import(self, organization: Organization, batch: Sequence[NewContact]) -> ImportReport:
        with self._database.write(organization.id) as session:
            return sql_import.import_batch(session, organization, batch)
