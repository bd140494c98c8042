"""What else a PBX does with a template: search, create, chat, call flows."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx import pbx as package
from callhelm_threecx.pbx import Contact, Pbx, ScenarioError
from callhelm_threecx.template.codec import parse
from callhelm_threecx.template.errors import TemplateError
from tests.pbx.crm import (
    CREATE,
    Crm,
    Reply,
    lookup,
    person,
    report,
    strangers,
    template,
    values,
)

NUMBER = "+14155550100"
AT = datetime(2026, 3, 5, 7, 8, 9, tzinfo=timezone.utc)


def crm_with(**fields: Any) -> Crm:
    return Crm(lambda _asked: {"people": [person(**fields)]})


def test_every_search_scenario_runs() -> None:
    one, two = (
        lookup(f'<Request Url="http://crm/{name}?q=[SearchText]"/>').replace(
            "<Scenario ", f'<Scenario Id="SearchContacts{name}" '
        )
        for name in ("", "_Firms")
    )
    crm = crm_with(phone="", url="")
    answer = Pbx(template(one + two), app=crm).search("ann b")
    assert [(each.path, each.query) for each in crm.asked] == [
        ("/", "q=ann%20b"),
        ("/_Firms", "q=ann%20b"),
    ]
    assert [contact.name for contact in answer.contacts] == ["Ann", "Ann"]


def test_an_address_is_looked_up() -> None:
    email = lookup('<Request Url="http://crm/find?e=[Email]"/>').replace(
        "<Scenario ", '<Scenario Id="LookupByEmail" '
    )
    crm = crm_with(phone="")
    answer = Pbx(template(email), app=crm).lookup_email("ann@example.com")
    assert crm.asked[0].query == "e=ann@example.com"
    assert answer.contact == answer.contacts[0]


def test_an_agent_creates_a_contact() -> None:
    scenario = CREATE.replace("CreateContactRecord", "CreateContactRecordFromClient").replace(
        '<Value Key="n">[Number]</Value>',
        values("FirstName", "LastName", "Number", "Email", "Company"),
    )
    crm = Crm(strangers)
    answer = Pbx(template(scenario, head='<Number Prefix="Zeros"/>'), app=crm).create_contact(
        first_name="Ann", number=NUMBER, email="a@b.c", company="Acme"
    )
    assert crm.asked[0].json == {
        "FirstName": "Ann",
        "LastName": "",
        "Number": "0014155550100",
        "Email": "a@b.c",
        "Company": "Acme",
    }
    assert answer.screen_pop == "http://crm/9"


CHAT = ("ChatMessages", "Number", "Email", "Name", "EntityId", "Agent", "Duration")


@pytest.mark.parametrize(
    ("emojis", "sent"), [("", "hi \nbye"), (' SupportsEmojis="true"', "hi 👋🏽\nbye")]
)
def test_a_chat_is_reported(emojis: str, sent: str) -> None:
    crm = Crm(lambda _asked: Reply({"duplicate": False}, "201 Created"))
    text = template(report(values(*CHAT, "ChatStartTimeUTC"), "ReportChat")).replace(
        "<Crm", f"<Crm{emojis}"
    )
    contact = Contact({"FirstName": "Ann", "EntityId": "7", "Email": "ann@example.com"})
    journal = Pbx(text, app=crm).chat(["hi 👋🏽", "bye"], contact=contact, at=AT, length=90)
    assert journal.call_type == "Chat"
    assert crm.asked[0].json == {
        "ChatMessages": sent,
        "Number": "",
        "Email": "ann@example.com",
        "Name": "Ann",
        "EntityId": "7",
        "Agent": "100",
        "Duration": "00:01:30",
        "ChatStartTimeUTC": "03/05/2026 07:08:09",
    }
    assert journal.find("duplicate") == ["False"]


@pytest.mark.parametrize(
    ("kind", "name", "variable"),
    [
        ("number", "LookupFromCFD_Contacts_LookupNumber", "Number"),
        ("id", "LookupFromCFD_Contacts_LookupID", "ID"),
        ("query", "LookupFromCFD_Contacts_LookupFreeQuery", "SearchText"),
    ],
)
def test_a_call_flow_is_handed_the_raw_answer(kind: str, name: str, variable: str) -> None:
    scenario = (
        f'<Scenario Id="{name}"><Request Url="http://crm/?v=[{variable}]"/>'
        '<Rules><Rule Type="Any">people.id</Rule></Rules></Scenario>'
    )
    crm = crm_with()
    answer = Pbx(template(scenario), app=crm).cfd_lookup(kind, "77")
    assert crm.asked[0].query == "v=77"
    assert answer.find("people.first") == ["Ann"]
    assert answer.body.startswith('{"people"')
    assert answer.outcomes


def test_a_call_flow_asks_by_known_ways_only() -> None:
    pbx = Pbx(template(lookup()))
    for kind in ("number", "colour"):
        with pytest.raises(ScenarioError):
            pbx.cfd_lookup(kind, "1")


def test_a_template_is_a_path_a_text_bytes_or_a_model(tmp_path: Path) -> None:
    text = template(lookup())
    path = tmp_path / "crm.xml"
    path.write_text(text)
    for form in (path, str(path), text, text.encode(), parse(text)):
        assert Pbx(form).template == parse(text)
    with pytest.raises(TemplateError):
        Pbx("<Crm")
    with pytest.raises(OSError, match="gone"):
        Pbx(tmp_path / "gone.xml")


def test_the_package_hands_out_its_names_and_no_others() -> None:
    assert all(getattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError):
        package.Nonsense  # noqa: B018
