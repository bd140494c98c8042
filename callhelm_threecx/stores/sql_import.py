"""Keeping contacts of the ``sql`` store once: by their external id, else by number and name.

What becomes of a batch is decided first, from a few statements for the whole of it, and written
afterwards. So a preview is the decision without the writing.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.confinement import insert_many
from callhelm_threecx.models import ContactPhoneRow, ContactRow, new_id, utc_now
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, ImportReport, NewContact, Organization
from callhelm_threecx.stores.editing import edition_of
from callhelm_threecx.stores.importing import Outcome, RowOutcome
from callhelm_threecx.stores.sql_identities import settled_identities
from callhelm_threecx.stores.sql_known import Incoming, Known, Shadow, own_keys, reads
from callhelm_threecx.stores.sql_rows import fields_of_row, fill

NAMELESS = "has neither a name nor a company"
_PHONE_COLUMNS = ("id", "contact_id", "type", "position", "raw", "number", "extension", "tail")


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one contact of a batch, under which id. ``contact`` and ``numbers`` are what
    is kept of it, ``before`` the contact as an update finds it in the store."""

    outcome: Outcome
    key: uuid.UUID
    contact: NewContact
    numbers: Sequence[folding.ParsedPhone]
    before: Contact | None = None

    @property
    def after(self) -> Contact:
        """The contact as it will be."""
        return folding.kept(str(self.key), self.contact, self.numbers)

    def told(self) -> RowOutcome:
        """The decision as it is shown."""
        if self.outcome is Outcome.REFUSED:
            return RowOutcome(self.outcome, NAMELESS)
        is_new = self.outcome is Outcome.CREATED
        after = replace(self.after, id="") if is_new else self.after
        return RowOutcome(self.outcome, before=self.before, after=after)


def existing_id(
    session: Session, organization: Organization, contact: NewContact
) -> uuid.UUID | None:
    """The id of the contact that this one is, if it is there already."""
    incoming = Incoming.of(organization, contact)
    return Known(session, [incoming], Shadow()).id_of(incoming)


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
    _write(session, decisions)
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
    read = [Incoming.of(organization, contact) for contact in batch]
    known = Known(session, read, shadow)
    contents = _Contents(session, known, read, shadow)
    decisions = []
    for incoming in read:
        if not incoming.contact.is_named:
            nobody = uuid.UUID(int=0)
            decisions.append(Decision(Outcome.REFUSED, nobody, incoming.contact, incoming.numbers))
            continue
        made = contents.decided(known.id_of(incoming), incoming)
        is_itself = made.contact is incoming.contact and not incoming.contact.external_id
        keys = incoming.keys if is_itself else own_keys(made.contact, made.numbers)
        known.add(keys, made.key)
        decisions.append(made)
    return decisions


def foreshadow(shadow: Shadow, decisions: Iterable[Decision]) -> None:
    """Remember what a batch would have written."""
    for made in decisions:
        if made.outcome in {Outcome.CREATED, Outcome.UPDATED}:
            keys = own_keys(made.contact, made.numbers)
            shadow.take(made.key, made.contact, keys, edition_of(made.after))


class _Contents:
    """What the contacts are that a batch means, while its rows are gone through."""

    def __init__(
        self, session: Session, known: Known, read: Sequence[Incoming], shadow: Shadow
    ) -> None:
        ids = {key for key in map(known.id_of, read) if key is not None}
        stored = reads(session.get_bind().dialect.name).contacts(session, ids - {*shadow.editions})
        self._contacts = {uuid.UUID(one.id): one for one in stored}
        self._made: dict[uuid.UUID, Decision] = {}
        self._shadow = shadow

    def decided(self, key: uuid.UUID | None, incoming: Incoming) -> Decision:
        """Create, update or leave: the contact with this id, if any, is this one from now on."""
        contact, numbers = incoming.contact, incoming.numbers
        if key is None:
            made = Decision(Outcome.CREATED, new_id(), contact, numbers)
        else:
            before = self._contact(key)
            if not contact.external_id:
                # Such a row says nothing of the external id that its contact has.
                external_id = (
                    self._shadow.external_ids[key] if before is None else before.external_id
                )
                contact = replace(contact, external_id=external_id)
            edition = self._shadow.editions[key] if before is None else edition_of(before)
            after = folding.kept(str(key), contact, numbers)
            outcome = Outcome.UNCHANGED if edition_of(after) == edition else Outcome.UPDATED
            made = Decision(outcome, key, contact, numbers, before)
        self._made[made.key] = made
        return made

    def _contact(self, key: uuid.UUID) -> Contact | None:
        """The contact with an id as it is by now; None for one that an earlier batch of a preview
        would have written."""
        made = self._made.get(key)
        return made.after if made is not None else self._contacts.get(key)


def _write(session: Session, decisions: Sequence[Decision]) -> None:
    """Write what was decided: many rows at a time, of each contact its last state."""
    last = {m.key: m for m in decisions if m.outcome in {Outcome.CREATED, Outcome.UPDATED}}
    created = {m.key for m in decisions if m.outcome is Outcome.CREATED}
    _update(session, [made for key, made in last.items() if key not in created])
    _create(session, [made for key, made in last.items() if key in created])
    phones = [
        (
            new_id(),
            made.key,
            kind.value,
            position,
            number.raw,
            number.canonical,
            number.extension,
            number.tail,
        )
        for made in last.values()
        for position, (kind, number) in enumerate(made.numbers)
    ]
    if phones:
        insert_many(session, ContactPhoneRow, _PHONE_COLUMNS, phones)


def _create(session: Session, decisions: Sequence[Decision]) -> None:
    if not decisions:
        return
    now = utc_now()
    settled = [(None, made.contact, made.numbers) for made in decisions]
    identities = settled_identities(session, settled)
    rows = [
        {
            "id": made.key,
            "identity": identity,
            **fields_of_row(made.contact, made.numbers),
            "source": made.contact.source,
            "last_active_at": now,
            "created_at": now,
            "updated_at": now,
        }
        for made, identity in zip(decisions, identities, strict=True)
    ]
    insert_many(session, ContactRow, list(rows[0]), [list(row.values()) for row in rows])


def _update(session: Session, decisions: Sequence[Decision]) -> None:
    """Bring contacts up to date, and take their numbers away."""
    keys = [made.key for made in decisions]
    if not keys:
        return
    found = session.execute(select(ContactRow).where(col(ContactRow.id).in_(keys))).scalars()
    by_key = {row.id: row for row in found}
    rows = [by_key[made.key] for made in decisions]
    settled = [(row.identity, m.contact, m.numbers) for row, m in zip(rows, decisions, strict=True)]
    identities = settled_identities(session, settled)
    for row, made, identity in zip(rows, decisions, identities, strict=True):
        fill(row, made.contact, made.numbers)
        row.identity = identity
    session.flush()  # an identity that was given up is free
    session.execute(
        delete(ContactPhoneRow)
        .where(col(ContactPhoneRow.contact_id).in_(keys))
        .execution_options(synchronize_session=False)
    )
