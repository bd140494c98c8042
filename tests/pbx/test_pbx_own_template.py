"""Our own template on our own server, through the engine alone and in strict mode."""

from collections.abc import Callable
from typing import Any

import pytest

from callhelm_threecx.pbx import Pbx
from tests.client import Api

LENGTHS = ["", "6", "7", "9", "10", "12"]
FORMS = ["+493012345678", "00493012345678", "493012345678", "03012345678", "+49 30 12345678"]

MakePbx = Callable[..., Pbx]


@pytest.fixture
def office(api: Api) -> MakePbx:
    """Makes PBXs with the template as it is downloaded."""
    template = api.get("/template").body
    return lambda **options: Pbx(template, app=api.app, **{"strict": True, **options})


def create(pbx: Pbx, **fields: str) -> Any:
    fields = {"first_name": "Ann", "last_name": "Lee", "number": FORMS[0], **fields}
    (contact,) = pbx.create_contact(**fields).contacts
    return contact


@pytest.mark.parametrize("length", LENGTHS)
def test_a_caller_is_found_in_every_form_of_the_number(office: MakePbx, length: str) -> None:
    pbx = office(max_length=length)
    created = create(office(), company="Acme", email="ann@example.com")
    for number in FORMS:
        for call in (pbx.ring(number), pbx.dial(number)):
            assert [each.entity_id for each in call.contacts] == [created.entity_id], number
            assert call.screen_pop == created.url
            assert (call.dropped, call.failures, call.notes) == ((), (), ())


def test_a_stranger_and_a_withheld_number_are_nobody(office: MakePbx) -> None:
    pbx = office()
    for number in ("+493099999", "anonymous", "Anonymous"):
        call = pbx.ring(number)
        assert (call.contacts, call.failures) == ((), ())


@pytest.mark.parametrize(
    ("begin", "answered", "call_type"),
    [
        ("ring", True, "Inbound"),
        ("ring", False, "Missed"),
        ("dial", True, "Outbound"),
        ("dial", False, "Notanswered"),
    ],
)
def test_a_call_is_journaled_once_however_often_it_is_reported(
    office: MakePbx, begin: str, answered: bool, call_type: str
) -> None:
    pbx = office()
    created = create(pbx)
    call = getattr(pbx, begin)(FORMS[0])
    journal = pbx.hang_up(
        call, answered=answered, talk=65, transcription="Ann: [laughs] yes", sentiment="4"
    )
    again = pbx.report_again(journal)
    assert (journal.status, again.status, journal.call_type) == (201, 200, call_type)
    assert journal.find("contactId") == [created.entity_id]
    assert journal.find("callId") == again.find("callId")
    assert (journal.find("duplicate"), again.find("duplicate")) == (["False"], ["True"])


def test_an_older_pbx_journals_as_well(office: MakePbx) -> None:
    pbx = office(version=18, strict=False, culture="de-DE")
    assert pbx.hang_up(pbx.ring(FORMS[0])).status == 201


def test_contacts_are_searched_by_name_company_address_and_number(office: MakePbx) -> None:
    pbx = office()
    created = create(pbx, company="Acme & Sons", email="ann@example.com")
    for text in ("ann", "Lee", "Acme & S", "ann@example.com", "3012345"):
        assert [each.entity_id for each in pbx.search(text).contacts] == [created.entity_id], text
    assert not pbx.search("nobody").contacts


def test_an_address_is_looked_up_and_its_chat_journaled(office: MakePbx) -> None:
    pbx = office()
    created = create(pbx, email="ann+news@example.com")
    answer = pbx.lookup_email("ann+news@example.com")
    assert [each.entity_id for each in answer.contacts] == [created.entity_id]
    journal = pbx.chat(["hello", "bye"], email="ann+news@example.com", contact=answer.contact)
    assert (journal.status, pbx.report_again(journal).status) == (201, 200)
    assert journal.find("contactId") == [created.entity_id]


def test_a_call_flow_finds_by_number_by_id_and_by_free_text(office: MakePbx) -> None:
    pbx = office()
    created = create(pbx)
    for kind, value in (("number", FORMS[0]), ("id", created.entity_id), ("query", "Lee")):
        assert pbx.cfd_lookup(kind, value).find("contacts.id") == [created.entity_id]


def test_the_same_contact_is_created_once(office: MakePbx) -> None:
    pbx = office()
    assert create(pbx).entity_id == create(pbx).entity_id


@pytest.mark.parametrize("switch", ["ReportCallEnabled", "CreateContactEnabled"])
def test_what_is_switched_off_is_not_asked_for(api: Api, switch: str) -> None:
    pbx = Pbx(api.get("/template").body, {switch: False}, app=api.app)
    if switch == "ReportCallEnabled":
        assert not pbx.hang_up(pbx.ring(FORMS[0])).exchanges
    else:
        assert not pbx.create_contact(first_name="Ann", number=FORMS[0]).exchanges


def test_the_key_is_in_no_trace(api: Api) -> None:
    pbx = Pbx(api.get("/template").body, app=api.app)
    assert api.key() not in pbx.ring(FORMS[0]).show()
    assert api.key() not in pbx.hang_up(pbx.ring(FORMS[0])).answer.show()
