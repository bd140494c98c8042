"""Which contacts of the ``sql`` store a batch of an import may mean: a few statements for all of
it, whatever its size."""

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Text, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.confinement import PreparedRead, fetch_within
from callhelm_threecx.models import ContactPhoneRow, ContactRow
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, NewContact, Organization
from callhelm_threecx.stores.sql_rows import CONTACT_COLUMNS, contacts_of


@dataclass(frozen=True, slots=True)
class Incoming:
    """A contact that comes in, and by what it is found to be there already, likeliest first: an
    external id says all, else one of the numbers and the name do, else the address and the name."""

    contact: NewContact
    numbers: Sequence[folding.ParsedPhone]
    keys: Sequence[str]

    @classmethod
    def of(cls, organization: Organization, contact: NewContact) -> "Incoming":
        """A contact, its numbers read in the organization's region."""
        numbers = folding.parsed_phones(contact, organization.region)
        if contact.external_id:
            return cls(contact, numbers, [_external_key(contact.external_id)])
        return cls(contact, numbers, _same_keys(contact, numbers))


def own_keys(contact: NewContact, numbers: Sequence[folding.ParsedPhone]) -> Sequence[str]:
    """By what a contact that is there is found."""
    if not contact.external_id:
        return _same_keys(contact, numbers)
    by_number = _same_keys(contact, numbers) if numbers else []
    return [_external_key(contact.external_id), *by_number]


def _same_keys(contact: NewContact, numbers: Iterable[folding.ParsedPhone]) -> list[str]:
    """As `folding.identities`, before they are digested."""
    name = folding.name_key(contact)
    keys = [number.digits for _, number in numbers] or [folding.fold(contact.email)]
    return [_same_key(key, name) for key in keys]


def _same_key(key: str, name: str) -> str:
    return f"same\n{key}\n{name}"  # no line ends in a folded text


def _external_key(external_id: str) -> str:
    return f"external\n{external_id}"


@dataclass(slots=True)
class Shadow:
    """What the batches before would have changed, of a preview that writes nothing: digests and
    keys, so that an import of many thousands of rows fits in memory."""

    editions: dict[uuid.UUID, str] = field(default_factory=dict)
    external_ids: dict[uuid.UUID, str] = field(default_factory=dict)
    owners: dict[str, tuple[uuid.UUID, ...]] = field(default_factory=dict)
    _keys: dict[uuid.UUID, Sequence[str]] = field(default_factory=dict)

    def take(self, key: uuid.UUID, contact: NewContact, keys: Sequence[str], edition: str) -> None:
        """Remember what would have been written, by what it is found and its edition."""
        for former in self._keys.get(key, ()):
            self.owners[former] = tuple(i for i in self.owners[former] if i != key)
        self._keys[key] = keys
        for each in keys:
            self.owners[each] = tuple(sorted({*self.owners.get(each, ()), key}))
        self.editions[key] = edition
        self.external_ids[key] = contact.external_id


class Known:
    """The contacts that a batch may mean, read at once; of several that it may mean the oldest."""

    def __init__(self, session: Session, batch: Sequence[Incoming], shadow: Shadow) -> None:
        self._session = session
        self._reads = reads(session.get_bind().dialect.name)
        self._owners: dict[str, uuid.UUID] = {}
        self._changed = shadow.editions
        self._read_external_ids({i.contact.external_id for i in batch if i.contact.external_id})
        anonymous = [each for each in batch if not each.contact.external_id]
        self._read_numbers({number.tail for each in anonymous for _, number in each.numbers})
        self._read_identities([each for each in anonymous if not each.numbers])
        if shadow.owners:
            for each in batch:
                for key in each.keys:
                    for owner in shadow.owners.get(key, ()):
                        self._found(key, owner)

    def id_of(self, incoming: Incoming) -> uuid.UUID | None:
        """The id of the contact that is meant, or None."""
        for key in incoming.keys:
            owner = self._owners.get(key)
            if owner is not None:
                return owner
        return None

    def add(self, keys: Iterable[str], contact_id: uuid.UUID) -> None:
        """Remember by what a contact is found that the batch itself created or changed."""
        for key in keys:
            self._owners.setdefault(key, contact_id)

    def _found(self, key: str, owner: uuid.UUID) -> None:
        self._owners[key] = min(owner, self._owners.get(key, owner))

    def _stored(self, key: str, owner: uuid.UUID) -> None:
        if owner not in self._changed:  # then it is found as what it would have become
            self._found(key, owner)

    def _read_external_ids(self, wanted: Collection[str]) -> None:
        for external_id, owner in self._reads.external_ids(self._session, wanted):
            self._stored(_external_key(external_id), owner)

    def _read_numbers(self, tails: Collection[str]) -> None:
        for tail, owner, *names in self._reads.numbers(self._session, tails):
            self._stored(_same_key(tail[::-1], folding.name_key(NewContact(*names))), owner)

    def _read_identities(self, numberless: Sequence[Incoming]) -> None:
        keys = {folding.identity(each.contact, ()): each.keys[0] for each in numberless}
        for identity, owner in self._reads.identities(self._session, keys):
            self._stored(keys[identity], owner)


class _Reads:
    """The statements, each for a list of values: an array on PostgreSQL, JSON on SQLite."""

    def __init__(self, dialect: str) -> None:
        self._is_sqlite = dialect == "sqlite"
        contact, phone = ContactRow, ContactPhoneRow
        names = (col(contact.first_name), col(contact.last_name), col(contact.company))
        self._external_ids = self._prepared(
            select(col(contact.external_id), col(contact.id)), contact.external_id
        )
        self._identities = self._prepared(
            select(col(contact.identity), col(contact.id)), contact.identity
        )
        self._numbers = self._prepared(
            select(col(phone.tail), col(contact.id), *names).join(
                contact, col(contact.id) == col(phone.contact_id)
            ),
            phone.tail,
        )
        self._contacts = self._prepared(
            select(*CONTACT_COLUMNS)
            .outerjoin(phone, col(phone.contact_id) == col(contact.id))
            .order_by(col(contact.id), col(phone.position)),
            contact.id,
        )

    def external_ids(self, session: Session, values: Collection[str]) -> list[tuple[Any, ...]]:
        """(external id, id) of the contacts with one of these external ids."""
        return self._rows(session, self._external_ids, values)

    def identities(self, session: Session, values: Collection[str]) -> list[tuple[Any, ...]]:
        """(identity, id) of the contacts with one of these identities."""
        return self._rows(session, self._identities, values)

    def numbers(self, session: Session, tails: Collection[str]) -> list[tuple[Any, ...]]:
        """(tail, id, first name, last name, company) of the owners of numbers."""
        return self._rows(session, self._numbers, tails)

    def contacts(self, session: Session, ids: Collection[uuid.UUID]) -> list[Contact]:
        """The contacts with these ids."""
        values = [key.hex for key in ids] if self._is_sqlite else ids
        return contacts_of(self._rows(session, self._contacts, values))

    def _rows(
        self, session: Session, read: PreparedRead, values: Collection[Any]
    ) -> list[tuple[Any, ...]]:
        if not values:
            return []
        listed = json.dumps(list(values)) if self._is_sqlite else list(values)
        return fetch_within(session, read, {"values": listed})

    def _prepared(self, statement: Any, column: Any) -> PreparedRead:
        # How large the table is changes from batch to batch: a plan that was made when it was empty
        # would read all of it ever after.
        return PreparedRead(statement.where(self._is_among(column)), planned_anew=True)

    def _is_among(self, column: Any) -> ColumnElement[bool]:
        if self._is_sqlite:
            listed = func.json_each(bindparam("values", type_=Text)).table_valued("value")
            return col(column).in_(select(listed.c.value))
        kind = Uuid() if column is ContactRow.id else Text()
        return col(column) == any_(bindparam("values", type_=ARRAY(kind)))


@cache
def reads(dialect: str) -> _Reads:
    """The statements in the words of a database."""
    return _Reads(dialect)
