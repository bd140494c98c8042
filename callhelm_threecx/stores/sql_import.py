"""Keeping contacts of the ``sql`` store once: by their external id, else by number and name.

What becomes of a batch is decided first, from a few statements for the whole of it, and written
afterwards. So a preview is the decision without the writing.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.models import ContactPhoneRow, ContactRow, new_id
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, ImportReport, NewContact, Organization
from callhelm_threecx.stores.editing import edition_of
from callhelm_threecx.stores.importing import Outcome, RowOutcome
from callhelm_threecx.stores.sql_rows import (
    CONTACT_COLUMNS,
    contacts_of,
    fill,
    number_rows,
    settle_identities,
)

NAMELESS = "has neither a name nor a company"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one contact of a batch, under which id. ``contact`` and ``numbers`` are what
    is kept of it, ``before`` and ``after`` the contact as it was and will be."""

    outcome: Outcome
    key: uuid.UUID
    contact: NewContact
    numbers: Sequence[folding.ParsedPhone]
    before: Contact | None = None
    after: Contact | None = None

    def told(self) -> RowOutcome:
        """The decision as it is shown."""
        if self.after is None:
            return RowOutcome(self.outcome, NAMELESS)
        is_new = self.outcome is Outcome.CREATED
        after = replace(self.after, id="") if is_new else self.after
        return RowOutcome(self.outcome, before=self.before, after=after)


@dataclass(slots=True)
class Shadow:
    """What the batches before would have changed, of a preview that writes nothing: digests, so
    that an import of many thousands of rows fits in memory."""

    editions: dict[uuid.UUID, str] = field(default_factory=dict)
    external_ids: dict[uuid.UUID, str] = field(default_factory=dict)
    owners: dict[str, tuple[uuid.UUID, ...]] = field(default_factory=dict)
    _keys: dict[uuid.UUID, Sequence[str]] = field(default_factory=dict)

    def take(self, decisions: Iterable[Decision]) -> None:
        """Remember what a batch would have written."""
        for made in decisions:
            if made.after is None or made.outcome is Outcome.UNCHANGED:
                continue
            for key in self._keys.get(made.key, ()):
                self.owners[key] = tuple(i for i in self.owners[key] if i != made.key)
            keys = _own_keys(made.contact, made.numbers)
            self._keys[made.key] = keys
            for key in keys:
                self.owners[key] = tuple(sorted({*self.owners.get(key, ()), made.key}))
            self.editions[made.key] = edition_of(made.after)
            self.external_ids[made.key] = made.after.external_id


def existing_id(
    session: Session, organization: Organization, contact: NewContact
) -> uuid.UUID | None:
    """The id of the contact that this one is, if it is there already."""
    numbers = folding.parsed_phones(contact, organization.region)
    return _Known(session, [(contact, numbers)], Shadow()).id_of(contact, numbers)


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
    decisions = decide(session, organization, batch, Shadow())
    _write(session, organization, decisions)
    counts = [made.outcome for made in decisions]
    return ImportReport(
        created=counts.count(Outcome.CREATED),
        updated=counts.count(Outcome.UPDATED),
        unchanged=counts.count(Outcome.UNCHANGED),
        refused=[(n, NAMELESS) for n, one in enumerate(counts) if one is Outcome.REFUSED],
    )


def decide(
    session: Session, organization: Organization, batch: Sequence[NewContact], shadow: Shadow
) -> list[Decision]:
    """What becomes of each contact of a batch, when they are kept one after the other."""
    read = [(contact, folding.parsed_phones(contact, organization.region)) for contact in batch]
    known = _Known(session, read, shadow)
    contents = _Contents(session, known, read, shadow)
    decisions = []
    for contact, numbers in read:
        if not contact.is_named:
            decisions.append(Decision(Outcome.REFUSED, uuid.UUID(int=0), contact, numbers))
            continue
        key = known.id_of(contact, numbers)
        made = contents.decided(key, contact, numbers)
        known.add(made.contact, numbers, made.key)
        decisions.append(made)
    return decisions


class _Contents:
    """What the contacts are that a batch means, while its rows are gone through."""

    def __init__(
        self,
        session: Session,
        known: "_Known",
        read: Sequence[tuple[NewContact, list[folding.ParsedPhone]]],
        shadow: Shadow,
    ) -> None:
        ids = {known.id_of(contact, numbers) for contact, numbers in read} - {None}
        stored = [key for key in ids if key is not None and key not in shadow.editions]
        self._contacts = {uuid.UUID(one.id): one for one in _read(session, stored)}
        self._shadow = shadow
        self._editions: dict[uuid.UUID, str] = {}

    def decided(
        self, key: uuid.UUID | None, contact: NewContact, numbers: list[folding.ParsedPhone]
    ) -> Decision:
        """Create, update or leave: the contact with this id, if any, is this one from now on."""
        if key is None:
            key = new_id()
            after = folding.kept(str(key), contact, numbers)
            made = Decision(Outcome.CREATED, key, contact, numbers, after=after)
        else:
            # A row without an external id says nothing of the one that its contact has.
            external_id = contact.external_id or self._external_id(key)
            contact = replace(contact, external_id=external_id)
            after = folding.kept(str(key), contact, numbers)
            before = self._contacts.get(key)
            same = edition_of(after) == self._edition(key)
            outcome = Outcome.UNCHANGED if same else Outcome.UPDATED
            made = Decision(outcome, key, contact, numbers, before, after)
        self._contacts[key] = after
        return made

    def _edition(self, key: uuid.UUID) -> str:
        contact = self._contacts.get(key)
        return self._shadow.editions[key] if contact is None else edition_of(contact)

    def _external_id(self, key: uuid.UUID) -> str:
        contact = self._contacts.get(key)
        return self._shadow.external_ids[key] if contact is None else contact.external_id


def _write(session: Session, organization: Organization, decisions: Sequence[Decision]) -> None:
    """Write what was decided: many rows at a time, of each contact its last state."""
    last = {m.key: m for m in decisions if m.outcome in {Outcome.CREATED, Outcome.UPDATED}}
    created = {m.key for m in decisions if m.outcome is Outcome.CREATED}
    _update(session, [made for key, made in last.items() if key not in created])
    _create(session, organization, [made for key, made in last.items() if key in created])
    for made in last.values():
        session.add_all(number_rows(organization, made.key, made.numbers))
    session.flush()


def _create(session: Session, organization: Organization, decisions: Sequence[Decision]) -> None:
    rows = []
    for made in decisions:
        row = ContactRow(id=made.key, organization_id=organization.id, source=made.contact.source)
        fill(row, made.contact, made.numbers)
        rows.append((row, made.contact, made.numbers))
    settle_identities(session, rows)
    session.add_all(row for row, _, _ in rows)
    session.flush()  # a phone refers to its contact


def _update(session: Session, decisions: Sequence[Decision]) -> None:
    """Bring contacts up to date, and take their numbers away."""
    keys = [made.key for made in decisions]
    if not keys:
        return
    rows = session.execute(select(ContactRow).where(col(ContactRow.id).in_(keys))).scalars()
    by_key = {row.id: row for row in rows}
    for made in decisions:
        fill(by_key[made.key], made.contact, made.numbers)
    settle_identities(session, [(by_key[m.key], m.contact, m.numbers) for m in decisions])
    session.flush()  # an identity that was given up is free
    session.execute(
        delete(ContactPhoneRow)
        .where(col(ContactPhoneRow.contact_id).in_(keys))
        .execution_options(synchronize_session=False)
    )


def _read(session: Session, ids: Sequence[uuid.UUID]) -> list[Contact]:
    if not ids:
        return []
    rows = session.execute(
        select(*CONTACT_COLUMNS)
        .outerjoin(ContactPhoneRow, col(ContactPhoneRow.contact_id) == col(ContactRow.id))
        .where(col(ContactRow.id).in_(ids))
        .order_by(col(ContactRow.id), col(ContactPhoneRow.position))
    ).all()
    return contacts_of(rows)


def _match_keys(contact: NewContact, numbers: Sequence[folding.ParsedPhone]) -> list[str]:
    """By what a contact is found to be there already, in this order: an external id says all, else
    one of the numbers and the name do, else the address and the name."""
    if contact.external_id:
        return [_external_key(contact.external_id)]
    return folding.identities(contact, numbers)


def _own_keys(contact: NewContact, numbers: Sequence[folding.ParsedPhone]) -> list[str]:
    """By what a contact that is there is found."""
    if not contact.external_id:
        return folding.identities(contact, numbers)
    by_number = folding.identities(contact, numbers) if numbers else []
    return [_external_key(contact.external_id), *by_number]


def _external_key(external_id: str) -> str:
    return f"external {external_id}"


class _Known:
    """The contacts that a batch may mean, read at once; of several that it may mean the oldest."""

    def __init__(
        self,
        session: Session,
        read: Sequence[tuple[NewContact, list[folding.ParsedPhone]]],
        shadow: Shadow,
    ) -> None:
        self._owners: dict[str, uuid.UUID] = {}
        self._changed = shadow.editions
        self._read_external_ids(session, {c.external_id for c, _ in read if c.external_id})
        anonymous = [(contact, numbers) for contact, numbers in read if not contact.external_id]
        tails = {number.tail for _, numbers in anonymous for _, number in numbers}
        self._read_numbers(session, tails)
        numberless = {folding.identity(c, numbers) for c, numbers in anonymous if not numbers}
        self._read_identities(session, numberless)
        for contact, numbers in read:
            for key in _match_keys(contact, numbers):
                for owner in shadow.owners.get(key, ()):
                    self._found(key, owner)

    def id_of(
        self, contact: NewContact, numbers: Sequence[folding.ParsedPhone]
    ) -> uuid.UUID | None:
        """The id of the contact that is meant, or None."""
        keys = _match_keys(contact, numbers)
        return next((self._owners[key] for key in keys if key in self._owners), None)

    def add(
        self, contact: NewContact, numbers: Sequence[folding.ParsedPhone], contact_id: uuid.UUID
    ) -> None:
        """Remember a contact that the batch itself created or changed."""
        for key in _own_keys(contact, numbers):
            self._owners.setdefault(key, contact_id)

    def _found(self, key: str, owner: uuid.UUID) -> None:
        self._owners[key] = min(owner, self._owners.get(key, owner))

    def _stored(self, key: str, owner: uuid.UUID) -> None:
        if owner not in self._changed:  # then it is found as what it would have become
            self._found(key, owner)

    def _read_external_ids(self, session: Session, wanted: set[str]) -> None:
        if not wanted:
            return
        columns = col(ContactRow.external_id), col(ContactRow.id)
        statement = select(*columns).where(col(ContactRow.external_id).in_(wanted))
        for external_id, owner in session.execute(statement):
            self._stored(_external_key(str(external_id)), owner)

    def _read_numbers(self, session: Session, tails: set[str]) -> None:
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
        )
        for tail, owner, first_name, last_name, company in rows:
            name = folding.name_key(NewContact(first_name, last_name, company))
            self._stored(folding.identity_key(tail[::-1], name), owner)

    def _read_identities(self, session: Session, wanted: set[str]) -> None:
        if not wanted:
            return
        columns = col(ContactRow.identity), col(ContactRow.id)
        statement = select(*columns).where(col(ContactRow.identity).in_(wanted))
        for identity, owner in session.execute(statement):
            self._stored(str(identity), owner)
