"""Contacts as rows of a table, both ways."""

from collections.abc import Mapping
from typing import Final

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.phone.text import bounded, read
from callhelm_threecx.services.contacts import MAX_NUMBER
from callhelm_threecx.services.csv_tables import Row, texts_of
from callhelm_threecx.services.reports import MAX_SHORT
from callhelm_threecx.stores.base import Contact, NewContact, Phone, PhoneType, slots

TEXT_COLUMNS: Final = ("FirstName", "LastName", "Company", "Email")
PHONE_COLUMNS: Final[Mapping[str, PhoneType]] = {
    "PhoneBusiness": PhoneType.BUSINESS,
    "PhoneBusiness2": PhoneType.BUSINESS2,
    "PhoneMobile": PhoneType.MOBILE,
    "PhoneMobile2": PhoneType.MOBILE2,
    "PhoneHome": PhoneType.HOME,
    "PhoneOther": PhoneType.OTHER,
    "FaxBusiness": PhoneType.FAX,
}
COLUMNS: Final = (*TEXT_COLUMNS, *PHONE_COLUMNS, "ExternalId")
_LENGTHS: Final = {
    **dict.fromkeys((*TEXT_COLUMNS, "ExternalId"), MAX_SHORT),
    **dict.fromkeys(PHONE_COLUMNS, MAX_NUMBER),
}


def contact_of(row: Row) -> NewContact:
    """The contact in a row. Raises `BadInputError` whose message says what is wrong with it."""
    texts = texts_of(row, _LENGTHS)
    contact = NewContact(
        first_name=texts["FirstName"],
        last_name=texts["LastName"],
        company=texts["Company"],
        email=texts["Email"],
        phones=tuple(
            Phone(texts[column], kind) for column, kind in PHONE_COLUMNS.items() if texts[column]
        ),
        external_id=texts["ExternalId"],
        source="import",
    )
    for column in PHONE_COLUMNS:
        if texts[column] and read(bounded(texts[column])) is None:
            raise BadInputError(f"{column} {texts[column]!r} has no digit")
    if not contact.is_named:
        raise BadInputError("has neither a name nor a company")
    return contact


def row_of(contact: Contact) -> tuple[str, ...]:
    """The row of a contact, in the order of `COLUMNS`; an extension follows its number."""
    numbers = slots(
        Phone(f"{item.number} x{item.extension}" if item.extension else item.number, item.type)
        for item in contact.phones
    )
    texts = (contact.first_name, contact.last_name, contact.company, contact.email)
    phones = (numbers[kind.value] for kind in PHONE_COLUMNS.values())
    return (*texts, *phones, contact.external_id)


def left_out(contact: Contact) -> int:
    """How many numbers of a contact have no column left for them."""
    return len(contact.phones) - sum(1 for number in slots(contact.phones).values() if number)
