"""The questions that are asked of a host's contacts, as statements on its tables.

They hold no organization: the session or the `PreparedRead` they run in adds it.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from typing_extensions import Unpack

from callhelm_threecx.confinement import PreparedRead
from callhelm_threecx.stores.callhelm import numbers, words
from callhelm_threecx.stores.callhelm.numbers import constant
from callhelm_threecx.stores.callhelm.rows import COLUMNS, OURS, contact_columns
from callhelm_threecx.stores.callhelm.schema import HostTable, HostTables

Rows = Select[Unpack[tuple[Any, ...]]]
Condition = ColumnElement[bool]

_KEYS: Final = bindparam("keys", type_=ARRAY(Text))
_MOST: Final = bindparam("most", type_=Integer)


class Questions:
    """The statements for the tables of one database."""

    def __init__(self, tables: HostTables) -> None:
        self.tables = tables
        self.contacts = tables.contacts
        self.columns = contact_columns(tables.contacts)
        self.by_number = PreparedRead(self._by_number())
        self.by_email = PreparedRead(self._latest(self._has_email()))
        self.by_id = self._select(tables.contacts.row.id == bindparam("id"))
        self.same_people = self._same_people()
        self.last_calls = self._last_calls()
        self.page = (
            self._select(tables.contacts.row.id > bindparam("after"))
            .order_by(tables.contacts.row.id)
            .limit(_MOST)
        )

    def _select(self, *conditions: Condition) -> Rows:
        return select(*self.columns).where(*conditions)

    def _latest(self, *conditions: Condition) -> Rows:
        """At most ``most`` contacts, those that changed last first."""
        order = [self.contacts.row.id.desc()]
        if self.contacts.has("updated_at"):
            order.insert(0, self.contacts.row.updated_at.desc().nulls_last())
        return self._select(*conditions).order_by(*order).limit(_MOST)

    def _by_number(self) -> Rows:
        """At most ``most`` contacts with a number of one of the ``keys``: first those whose number
        ends in ``national``, then those that changed last."""
        national = bindparam("national", type_=Text)
        digits = numbers.number_digits(self.contacts.row.phone_number)
        is_sharp = func.right(digits, func.length(national)) == national
        every = [(is_sharp, has_key(self.contacts)), (true(), has_dialled_key(self.contacts))]
        if self.contacts.has("metadata"):
            every.append((true(), has_further_key(self.contacts)))
        found = union_all(
            *(
                select(*self.columns, sharp.label("is_sharp")).where(condition)
                for sharp, condition in every
            )
        ).subquery()
        return (
            select(*list(found.c)[: len(COLUMNS)])
            .order_by(found.c.is_sharp.desc(), found.c.updated_at.desc().nulls_last())
            .order_by(found.c.id.desc())
            .limit(_MOST)
        )

    def _has_email(self) -> Condition:
        if not self.contacts.has("email"):
            return false()
        return lower_email(self.contacts) == bindparam("email", type_=Text)

    def by_name(self, query: str) -> Rows | None:
        """Contacts in whose name the words of a query stand as they are; None when there can be
        none."""
        words_of_name = words.name_words(query)
        if not (words_of_name and self.contacts.has("full_name")):
            return None
        name = self.contacts.row.full_name
        return self._latest(
            *(or_(*(name.ilike(words.like(form)) for form in forms)) for forms in words_of_name)
        )

    def by_words(self, terms: Sequence[str], region: str) -> Rows:
        """Contacts in which each of the terms may occur."""
        text = words.searched_text(self.contacts)
        return self._latest(*words.contains_all(text, terms, region))

    def _same_people(self) -> Rows:
        """Every contact with a number of one of the ``keys``, those without a number whose address
        is one of the ``emails`` and whose name is one of the ``names``, and those with one of the
        ``external_ids``."""
        ways = [has_key(self.contacts), has_dialled_key(self.contacts), self._is_numberless()]
        if self.contacts.has("metadata"):
            ways += [has_further_key(self.contacts), self._has_external_id()]
        ids = union_all(*(select(self.contacts.row.id).where(way) for way in ways)).subquery()
        return self._select(self.contacts.row.id.in_(select(ids.c.id))).order_by(
            self.contacts.row.id
        )

    def _is_numberless(self) -> Condition:
        names = any_(bindparam("names", type_=ARRAY(Text)))
        name, company = words.name_of(self.contacts), words.company_of(self.contacts)
        no_number = numbers.number_key(self.contacts.row.phone_number) == constant("")
        of_address: Condition = true()
        if self.contacts.has("email"):
            address = func.coalesce(lower_email(self.contacts), constant(""))
            of_address = address == any_(bindparam("emails", type_=ARRAY(Text)))
        is_called = or_(name == names, and_(name == constant(""), company == names))
        return and_(no_number, of_address, is_called)

    def _has_external_id(self) -> Condition:
        return external_id(self.contacts) == any_(bindparam("external_ids", type_=ARRAY(Text)))

    def _last_calls(self) -> Rows:
        """When each of the contacts with ``ids`` last had a call."""
        calls = self.tables.calls
        contact_id = calls.column("contact_id")
        return (
            select(contact_id, func.max(calls.row.start_time))
            .where(contact_id.in_(bindparam("ids", expanding=True)))
            .group_by(contact_id)
        )


def has_key(contacts: HostTable) -> Condition:
    """Whether the number's key is one of ``keys``."""
    return numbers.number_key(contacts.row.phone_number) == any_(_KEYS)


def has_dialled_key(contacts: HostTable) -> Condition:
    """Whether that of its number with letters is."""
    number = contacts.row.phone_number
    return and_(numbers.has_letters(number), numbers.dialled_key(number) == any_(_KEYS))


def has_further_key(contacts: HostTable) -> Condition:
    """Whether that of one of its further numbers is."""
    tails = further_keys(contacts)
    return and_(tails.is_not(None), tails.op("?|", is_comparison=True)(_KEYS))


def further_keys(contacts: HostTable) -> ColumnElement[Any]:
    """The keys of the further numbers: a JSON array, or null."""
    keys: ColumnElement[Any] = _ours(contacts).op("->", return_type=JSONB())(constant("tails"))
    return keys


def external_id(contacts: HostTable) -> ColumnElement[str]:
    """The id that an import gave the contact, or null."""
    return words.text_of(_ours(contacts), "externalId")


def lower_email(contacts: HostTable) -> ColumnElement[str]:
    """The address in lower case."""
    return func.lower(contacts.row.email)


def _ours(contacts: HostTable) -> ColumnElement[Any]:
    ours: ColumnElement[Any] = contacts.row.metadata.op("->", return_type=JSONB())(constant(OURS))
    return ours
