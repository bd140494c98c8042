"""Everybody of the demo rings, in every form of their number, at every length a PBX may cut to."""

import phonenumbers
import pytest

from callhelm_threecx import phone
from callhelm_threecx.app import ThreeCXApp
from callhelm_threecx.demo import people
from callhelm_threecx.pbx import Pbx
from callhelm_threecx.stores import BulkContacts, NewContact, Organization
from tests.client import Api

LENGTHS = ["", "6", "7", "9", "10", "12"]
REGION = "DE"


def forms_of(number: str) -> list[str]:
    """The ways in which a trunk in Germany may present an E.164 number."""
    digits = number.removeprefix("+")
    forms = [number, digits, f"00{digits}", phone.display(number)]
    parsed = phonenumbers.parse(number)
    if phonenumbers.region_code_for_number(parsed) == REGION:
        national = phonenumbers.PhoneNumberFormat.NATIONAL
        written = phonenumbers.format_number(parsed, national)
        forms += [written, phonenumbers.normalize_digits_only(written)]
    return forms


def take_in(app: ThreeCXApp, contacts: list[NewContact]) -> None:
    store = app.services.store
    assert isinstance(store, BulkContacts)
    report = store.import_batch(Organization("acme", REGION), contacts)
    assert report.created == len(contacts)


@pytest.mark.parametrize("length", LENGTHS)
def test_every_contact_is_found_in_every_form_of_every_number(api: Api, length: str) -> None:
    template = api.get("/template").body
    contacts = list(people.contacts())
    take_in(api.app, contacts)
    pbx = Pbx(template, app=api.app, strict=True, max_length=length)
    missed = []
    for contact in contacts:
        for item in contact.phones:
            number = phone.parse(item.number, REGION)
            assert number is not None
            for form in forms_of(number.canonical):
                call = pbx.ring(form)
                names = {(each.first_name, each.last_name) for each in call.contacts}
                if (contact.first_name, contact.last_name) not in names or call.dropped:
                    missed.append((form, call.dropped))
    assert missed == []
