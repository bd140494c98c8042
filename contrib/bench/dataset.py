"""Fills a database with contacts whose numbers are all different, the fast way."""

import random
import uuid
from collections.abc import Iterator

import psycopg

from callhelm_threecx import phone
from callhelm_threecx.models import new_id, utc_now
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import NewContact, Phone, PhoneType

FIRST = ("Anna", "Ben", "Chloé", "Dmitri", "Elif", "Farid", "Grace", "Hiro", "Inés", "Jörg")
LAST = ("Müller", "Smith", "Rossi", "García", "Ivanov", "Yildiz", "Tanaka", "Dubois", "Novák")
COMPANY = ("Nordwind GmbH", "Acme Ltd", "Sol y Mar SA", "Blue Fjord AS", "Hinode KK")


def number(index: int) -> str:
    """The E.164 number of a contact: Berlin numbers, one for each index."""
    return f"+4930{20_000_000 + index}"


def fill(url: str, organization_id: str, count: int) -> None:
    """Store ``count`` contacts for the product, and the same for the yardstick."""
    chance = random.Random(count)
    now = utc_now()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bare_contacts (id uuid PRIMARY KEY, first_name text, last_name text,"
            " company text, email text, number text)"
        )
        contacts = list(_contacts(chance, count))
        with cursor.copy(
            "COPY three_cx_contacts (id, organization_id, first_name, last_name, company, email,"
            " email_folded, search_text, source, last_active_at, created_at, updated_at)"
            " FROM STDIN"
        ) as copy:
            for key, contact in contacts:
                numbers = [(PhoneType.BUSINESS, _parsed(contact))]
                copy.write_row(
                    (
                        key,
                        organization_id,
                        contact.first_name,
                        contact.last_name,
                        contact.company,
                        contact.email,
                        contact.email,
                        folding.search_text(contact, numbers),
                        "bench",
                        now,
                        now,
                        now,
                    )
                )
        with cursor.copy(
            "COPY three_cx_contact_phones (id, organization_id, contact_id, type, position, raw,"
            " number, extension, tail) FROM STDIN"
        ) as copy:
            for key, contact in contacts:
                parsed = _parsed(contact)
                kind = PhoneType.BUSINESS.value
                row = (organization_id, key, kind, 0, parsed.raw, parsed.canonical, "", parsed.tail)
                copy.write_row((new_id(), *row))
        with cursor.copy("COPY bare_contacts FROM STDIN") as copy:
            for key, contact in contacts:
                names = (contact.first_name, contact.last_name, contact.company, contact.email)
                copy.write_row((key, *names, contact.phones[0].number))
        cursor.execute("CREATE INDEX ON bare_contacts (number)")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _contacts(chance: random.Random, count: int) -> Iterator[tuple[uuid.UUID, NewContact]]:
    for index in range(count):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        yield (
            new_id(),
            NewContact(
                first_name=first,
                last_name=last,
                company=chance.choice(COMPANY),
                email=f"contact{index}@example.com",
                phones=(Phone(number(index)),),
            ),
        )


def _parsed(contact: NewContact) -> phone.PhoneNumber:
    text = contact.phones[0].number
    digits = text.removeprefix("+")
    return phone.PhoneNumber(raw=text, canonical=text, digits=digits, extension="", is_e164=True)
