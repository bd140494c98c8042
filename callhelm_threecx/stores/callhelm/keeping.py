"""Keeping contacts in a host's table once.

The host has no unique constraint that would do it, so whoever creates a contact first takes a lock
on its name; an import takes one on the whole organization. Contacts that are there are never
changed: their columns are the host's to edit, and who imports a file again means those that are
new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from callhelm_threecx.confinement import (
    CrossOrganizationError,
    insert_host_rows,
    lock_until_commit,
)
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import (
    Contact,
    ImportReport,
    InvalidContactError,
    NewContact,
    Organization,
)
from callhelm_threecx.stores.callhelm.ids import uuid_text
from callhelm_threecx.stores.callhelm.numbers import keys_of_digits
from callhelm_threecx.stores.callhelm.queries import Questions
from callhelm_threecx.stores.callhelm.rows import as_new, contact_of, new_row

_EVERYBODY = "contacts"


def create(
    session: Session, questions: Questions, organization: Organization, contact: NewContact
) -> tuple[Contact, bool]:
    """See `callhelm_threecx.stores.base.TransactionalContacts.create_within`."""
    _check(organization)
    if not contact.is_named:
        raise InvalidContactError("A contact needs a first name, a last name or a company.")
    lock_until_commit(session, _EVERYBODY, shared=True)
    lock_until_commit(session, f"{_EVERYBODY} {folding.name_key(contact)}")
    known = _Known.of(session, questions, organization, [contact]).find(contact)
    if known is not None:
        return known, False
    row = new_row(questions.contacts, organization, contact)
    insert_host_rows(session, questions.contacts.row, [row])
    kept = get(session, questions, organization, row["id"])
    if kept is None:
        raise CrossOrganizationError("A contact vanished from its own transaction.")
    return kept, True


def get(
    session: Session, questions: Questions, organization: Organization, contact_id: str
) -> Contact | None:
    """The contact with this id, as it is kept."""
    row = session.execute(questions.by_id, {"id": contact_id}).first()
    return contact_of(row, organization.region) if row else None


def import_batch(
    session: Session,
    questions: Questions,
    organization: Organization,
    batch: Sequence[NewContact],
) -> ImportReport:
    """See `callhelm_threecx.stores.base.BulkContacts.import_batch`: whoever is there stays as they
    are and counts as unchanged."""
    _check(organization)
    report = ImportReport()
    lock_until_commit(session, _EVERYBODY)
    known = _Known.of(session, questions, organization, batch)
    rows = []
    for index, contact in enumerate(batch):
        if not contact.is_named:
            report.refused.append((index, "has neither a name nor a company"))
        elif known.find(contact) is not None:
            report.unchanged += 1
        else:
            row = new_row(questions.contacts, organization, contact)
            rows.append(row)
            numbers = folding.parsed_phones(contact, organization.region)
            known.add(folding.kept(row["id"], contact, numbers))
            report.created += 1
    if rows:
        insert_host_rows(session, questions.contacts.row, rows)
    return report


def _check(organization: Organization) -> None:
    if uuid_text(organization.id) is None:
        raise InvalidContactError("The host has no such organization.")


@dataclass(slots=True)
class _Known:
    """The contacts that a batch may mean."""

    region: str
    by_external_id: dict[str, Contact] = field(default_factory=dict)
    by_identity: dict[str, list[Contact]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        session: Session,
        questions: Questions,
        organization: Organization,
        batch: Iterable[NewContact],
    ) -> "_Known":
        """Read them, in one query."""
        known = cls(organization.region)
        parameters = _parameters(organization, batch)
        for row in session.execute(questions.same_people, parameters):
            known.add(contact_of(row, organization.region))
        return known

    def add(self, contact: Contact) -> None:
        """Remember a contact; the first one of several alike is the one that is meant."""
        if contact.external_id:
            self.by_external_id.setdefault(contact.external_id, contact)
        for identity in self._identities(as_new(contact)):
            self.by_identity.setdefault(identity, []).append(contact)

    def find(self, contact: NewContact) -> Contact | None:
        """The contact that is meant: with the same external id, else with the same number and name,
        unless an external id says that it is somebody else."""
        external_id = contact.external_id
        if external_id in self.by_external_id:
            return self.by_external_id[external_id]
        alike = (
            known
            for identity in self._identities(contact)
            for known in self.by_identity.get(identity, ())
            if not (external_id and known.external_id)
        )
        return next(alike, None)

    def _identities(self, contact: NewContact) -> list[str]:
        return folding.identities(contact, folding.parsed_phones(contact, self.region))


def _parameters(organization: Organization, batch: Iterable[NewContact]) -> dict[str, list[str]]:
    keys: set[str] = set()
    emails: set[str] = set()
    names: set[str] = set()
    external_ids: set[str] = set()
    for contact in batch:
        numbers = folding.parsed_phones(contact, organization.region)
        for _, number in numbers:
            keys.update(keys_of_digits(number.digits, organization.region))
        if not numbers:
            emails.add(contact.email.lower())
            names.add(folding.name_key(contact))
        external_ids.add(contact.external_id)
    external_ids.discard("")
    found = {"keys": keys, "emails": emails, "names": names, "external_ids": external_ids}
    return {name: sorted(values) for name, values in found.items()}
