"""A CRM with one flat answer under "result", whose outputs are put out twice."""

from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx.pbx import Pbx
from tests.pbx.crm import Crm

TEMPLATE = Path(__file__).parent / "templates" / "flat-crm.xml"


def flat_answer(**fields: Any) -> Crm:
    return Crm(lambda _asked: {"jsonrpc": "2.0", "id": None, "result": fields})


def test_flat_crm_is_asked_with_json_and_its_key() -> None:
    crm = flat_answer(partner=7, first="Ada", url="http://o/7", phone="+390611", is_company=False)
    call = Pbx(TEMPLATE, {"apikey": "key-77"}, app=crm).ring("+390611")
    (asked,) = crm.asked
    assert asked.line == "POST http://127.0.0.1:8069/api/crm"
    assert asked.body == '{"number":"+390611"}'
    assert (asked.headers["apikey"], asked.headers["content-type"]) == (
        "key-77",
        "application/json",
    )
    assert "key-77" not in call.show()


def test_flat_crm_of_two_outputs_the_later_one_wins_unless_it_is_empty() -> None:
    both = flat_answer(
        partner=7, first="Old", firstname="New", url="http://old", web_url="", phone="+390611"
    )
    call = Pbx(TEMPLATE, app=both).ring("+390611")
    assert call.contact is not None
    assert (call.contact.first_name, call.contact.url) == ("New", "http://old")
    assert call.contact.entity_type == "Contacts"


def test_flat_crm_words_of_json_become_those_of_net() -> None:
    crm = flat_answer(partner=7, first="A", url="u", phone="+390611", is_company=False)
    call = Pbx(TEMPLATE, app=crm).ring("+390611")
    assert call.contact is not None
    assert call.contact["CustomValue"] == "False"


def test_flat_crm_without_a_partner_finds_nobody() -> None:
    call = Pbx(TEMPLATE, app=flat_answer(partner=None)).ring("+390611")
    assert not call.contacts
    assert not call.dropped


@pytest.mark.parametrize(
    ("max_length", "sent"), [("", "+390611223344"), (6, "223344"), ("10", "0611223344"), (20, None)]
)
def test_flat_crm_follows_the_number_length_of_the_pbx(max_length: str, sent: str | None) -> None:
    crm = flat_answer(partner=7, first="Ada", url="http://o/7", phone="+390611223344")
    call = Pbx(TEMPLATE, app=crm, max_length=max_length).ring("+390611223344")
    assert crm.asked[0].json == {"number": sent or "+390611223344"}
    assert call.contacts
