"""Contacts of a host as rows, both ways.

A host has one number for a contact, untyped, and short columns. What does not fit is kept in
``metadata`` under one key, ``threecx``:

=============  ============================================================================
``source``     where the contact came from: ``3cx``, ``import``
``type``       which kind of number the one in ``phone_number`` is, if not a business number
``phones``     the further numbers: ``number``, ``type`` and ``extension`` of each
``tails``      the keys of the further numbers (see `numbers`), for finding them
``texts``      texts that their columns cut off, whole, by column
``search``     what of all this a search looks in
``externalId``  the id that an import gave it
=============  ============================================================================

The columns are the host's to edit, so they count: a text in ``texts`` only while its column still
has its beginning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement

from callhelm_threecx import phone
from callhelm_threecx.models import new_id, utc_now
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, NewContact, Organization, Phone, PhoneType
from callhelm_threecx.stores.callhelm.numbers import key_of
from callhelm_threecx.stores.callhelm.schema import HostTable

OURS: Final = "threecx"
COLUMNS: Final = (
    *("id", "first_name", "last_name", "company", "email"),
    *("phone_number", "status", "updated_at", "metadata"),
)
_TEXTS: Final = ("first_name", "last_name", "company", "email")
_MARKS: Final = {"do_not_call": "DO NOT CALL", "inactive": "Inactive"}


def contact_columns(contacts: HostTable) -> list[ColumnElement[Any]]:
    """What a statement selects so that `contact_of` can read its rows."""
    columns = [contacts.column(name).label(name) for name in COLUMNS[:-1]]
    ours = contacts.row.metadata[OURS] if contacts.has("metadata") else contacts.column("metadata")
    return [*columns, ours.label("ours")]


def contact_of(row: Sequence[Any], region: str) -> Contact:
    """The contact in a row of `contact_columns`."""
    contact_id, *texts, number, _status, updated_at, _ = row[: len(COLUMNS)]
    ours = _ours(row)
    whole = ours.get("texts")
    names = [
        _whole(text or "", whole.get(name) if isinstance(whole, dict) else None)
        for name, text in zip(_TEXTS, texts, strict=True)
    ]
    return Contact(
        id=contact_id,
        first_name=names[0],
        last_name=names[1],
        company=names[2],
        email=names[3],
        phones=_phones(number or "", ours, region),
        external_id=str(ours.get("externalId") or ""),
        last_active_at=updated_at,
    )


def marked(row: Sequence[Any], contact: Contact) -> Contact:
    """A contact as an agent must see it: that it is not to be called, or no longer active, stands
    before its company."""
    mark = _MARKS.get(row[COLUMNS.index("status")])
    if mark is None:
        return contact
    return replace(contact, company=f"{mark} \u00b7 {contact.company}" if contact.company else mark)


def as_new(contact: Contact) -> NewContact:
    """A contact as one to be kept: for comparing it with such."""
    return NewContact(
        contact.first_name,
        contact.last_name,
        contact.company,
        contact.email,
        contact.phones,
        contact.external_id,
    )


def new_row(contacts: HostTable, organization: Organization, contact: NewContact) -> dict[str, Any]:
    """The values of a new row."""
    numbers = folding.parsed_phones(contact, organization.region)
    first, further = _first_and_further(contacts, numbers)
    values: dict[str, Any] = {
        "id": str(new_id()),
        "organization_id": organization.id,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "company": contact.company,
        "email": contact.email,
        "phone_number": _written(first[1]) if first else "",
        "metadata": {OURS: _kept_besides(contacts, contact, first, further)},
    }
    for column in ("created_at", "updated_at"):
        if contacts.has(column) and not contacts.columns[column].has_default:
            values[column] = utc_now()
    return contacts.values(values)


def _written(number: phone.PhoneNumber) -> str:
    return number.canonical + (f" x{number.extension}" if number.extension else "")


def _first_and_further(
    contacts: HostTable, numbers: Sequence[folding.ParsedPhone]
) -> tuple[folding.ParsedPhone | None, list[folding.ParsedPhone]]:
    """The number that its column can hold, and the others."""
    longest = contacts.columns["phone_number"].max_length
    fitting = (pair for pair in numbers if longest is None or len(_written(pair[1])) <= longest)
    first = next(fitting, None)
    return first, [pair for pair in numbers if pair is not first]


def _kept_besides(
    contacts: HostTable,
    contact: NewContact,
    first: folding.ParsedPhone | None,
    further: Sequence[folding.ParsedPhone],
) -> dict[str, Any]:
    texts = {
        name: text
        for name, text in zip(
            _TEXTS,
            (contact.first_name, contact.last_name, contact.company, contact.email),
            strict=True,
        )
        if _is_cut(contacts, name, text)
    }
    kept: dict[str, Any] = {
        "source": contact.source,
        "externalId": contact.external_id,
        "type": first[0].value if first and first[0] is not PhoneType.BUSINESS else "",
        "phones": [_phone_record(pair) for pair in further],
        "tails": [key_of(number.digits) for _, number in further],
        "texts": texts,
    }
    if further or texts:
        first_name, last_name, company, email = (texts.get(name, "") for name in _TEXTS)
        whole = NewContact(first_name, last_name, company, email)
        kept["search"] = folding.search_text(whole, further)
    return {name: value for name, value in kept.items() if value}


def _is_cut(contacts: HostTable, column: str, text: str) -> bool:
    longest = contacts.columns[column].max_length if contacts.has(column) else None
    return longest is not None and len(text) > longest


def _phone_record(pair: folding.ParsedPhone) -> dict[str, str]:
    kind, number = pair
    record = {"number": number.canonical, "type": kind.value, "extension": number.extension}
    return {name: value for name, value in record.items() if value}


def _ours(row: Sequence[Any]) -> Mapping[str, Any]:
    ours = row[len(COLUMNS) - 1]
    return ours if isinstance(ours, dict) else {}


def _whole(text: str, whole: object) -> str:
    return whole if text and isinstance(whole, str) and whole.startswith(text) else text


def _phones(written: str, ours: Mapping[str, Any], region: str) -> tuple[Phone, ...]:
    """The numbers of a contact, none twice; whatever stands in the metadata does no harm."""
    found: dict[str, Phone] = {}
    first = phone.parse(written, region)
    if first is not None:
        kind = _kind(ours.get("type"))
        found[first.digits] = Phone(first.canonical, kind, first.extension)
    records = ours.get("phones")
    for record in records if isinstance(records, list) else ():
        number = phone.parse(_text(record, "number"), region)
        if number is not None:
            item = Phone(number.canonical, _kind(_text(record, "type")), _text(record, "extension"))
            found.setdefault(number.digits, item)
    return tuple(found.values())


def _text(record: object, name: str) -> str:
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, str) else ""


def _kind(word: object) -> PhoneType:
    try:
        return PhoneType(word)
    except ValueError:
        return PhoneType.BUSINESS
