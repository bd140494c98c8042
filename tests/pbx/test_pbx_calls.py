"""The story of a call: who is shown, what is dropped, what is reported."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx import pbx as package
from callhelm_threecx.pbx import Agent, Contact, Pbx, ScenarioError, StrictError
from callhelm_threecx.template.codec import parse
from callhelm_threecx.template.errors import TemplateError
from tests.pbx.crm import Crm, Reply, lookup, person, template

NUMBER = "+14155550100"
AT = datetime(2026, 3, 5, 7, 8, 9, tzinfo=timezone.utc)


def values(*names: str) -> str:
    return "".join(f'<Value Key="{name}" Passes="1">[{name}]</Value>' for name in names)


def report(inside: str, name: str = "ReportCall") -> str:
    return (
        f'<Scenario Id="{name}"><Request Url="http://crm/log" RequestType="Post"'
        f' RequestEncoding="Json"><PostValues>{inside}</PostValues></Request></Scenario>'
    )


def crm_with(**fields: Any) -> Crm:
    return Crm(lambda _asked: {"people": [person(**fields)]})


def test_a_known_caller_pops_up() -> None:
    call = Pbx(template(lookup()), app=crm_with()).ring(NUMBER)
    assert call.screen_pop == "http://crm/1"
    assert call.contact == call.contacts[0]
    assert call.contact is not None
    assert call.contact.numbers == {"PhoneMobile": NUMBER}
    assert (call.contact.name, call.contact.company, call.contact.email) == ("Ann", "", "")
    assert call.answer.ok
    assert call.answer.screen_pop == "http://crm/1"


DROPPED = [
    ({"url": ""}, "The ContactUrl is empty."),
    ({"url": None}, "The ContactUrl is empty."),
    ({"first": ""}, "FirstName, LastName and CompanyName are all empty."),
    ({"phone": ""}, "No phone output is filled in."),
    ({"phone": "+1999"}, f"No phone output contains {NUMBER}; there is +1999."),
]


@pytest.mark.parametrize(("fields", "reason"), DROPPED)
def test_what_a_pbx_drops_is_dropped_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    call = Pbx(template(lookup()), app=crm_with(**fields)).ring(NUMBER)
    assert call.screen_pop is None
    assert not call.contacts
    assert [str(each) for each in call.dropped] == [reason]
    assert not call.answer.ok


@pytest.mark.parametrize(("fields", "reason"), DROPPED)
def test_in_strict_mode_it_is_raised(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(StrictError, match="A PBX drops this result"):
        Pbx(template(lookup()), app=crm_with(**fields), strict=True).ring(NUMBER)


def test_a_full_name_alone_is_no_name() -> None:
    crm = crm_with(first="")
    outputs = '<Output Type="FullName" Value="Ann A."/>'
    assert Pbx(template(lookup(outputs=outputs)), app=crm).ring(NUMBER).dropped


def test_a_stranger_is_nobody_and_nothing_is_dropped() -> None:
    call = Pbx(template(lookup()), app=Crm(lambda _asked: {"people": []})).ring(NUMBER)
    assert (call.contacts, call.dropped, call.screen_pop, call.contact) == ((), (), None, None)


def test_a_template_without_a_lookup_finds_nobody() -> None:
    assert not Pbx(template(report(""))).ring(NUMBER).contacts


ALL = (
    *("CallType", "CallDirection", "Number", "Name", "EntityId", "EntityType", "Agent"),
    *("AgentFirstName", "AgentLastName", "AgentEmail", "QueueExtension", "Duration"),
    *("DurationTimespan", "DateTime", "CallStartTimeUTC", "CallStartTimeLocal"),
    *("CallEndTimeUTC", "CallStartTimeUTCMillis", "CallStartTimeLocalMillis"),
    *("CallEstablishedTimeUTC", "RecordingUrl", "Transcription", "Summary", "Sentiment"),
    *("Contact::FirstName", "Contact::PhoneMobile", "Contact::PhotoUrl"),
)


def logged(**options: Any) -> tuple[Crm, Pbx]:
    crm = crm_with()
    zone = timezone(timedelta(hours=1))
    agent = Agent("101", "Bo", "Ek", "bo@example.com")
    return crm, Pbx(
        template(lookup() + report(values(*ALL))), app=crm, agent=agent, zone=zone, **options
    )


def test_an_answered_call_is_reported_with_everything_known_of_it() -> None:
    crm, pbx = logged(culture="de-DE")
    call = pbx.ring(NUMBER, queue="800", at=AT)
    journal = pbx.hang_up(
        call,
        talk=timedelta(seconds=61.5),
        ringing=4,
        recording_url="http://rec/1",
        transcription="Ann: [laughs] hi",
        summary="Short",
        sentiment="4",
    )
    assert journal.ok
    assert (journal.call_type, journal.status, len(journal.exchanges)) == ("Inbound", 200, 1)
    assert crm.asked[-1].json == {
        "CallType": "Inbound",
        "CallDirection": "Inbound",
        "Number": NUMBER,
        "Name": "Ann",
        "EntityId": "1",
        "EntityType": "",
        "Agent": "101",
        "AgentFirstName": "Bo",
        "AgentLastName": "Ek",
        "AgentEmail": "bo@example.com",
        "QueueExtension": "800",
        "Duration": "00:01:01",
        "DurationTimespan": "00:01:01.5000000",
        "DateTime": "05.03.2026 08:08:09",
        "CallStartTimeUTC": "05.03.2026 07:08:09",
        "CallStartTimeLocal": "05.03.2026 08:08:09",
        "CallEndTimeUTC": "05.03.2026 07:09:14",
        "CallStartTimeUTCMillis": "1772694489000",
        "CallStartTimeLocalMillis": "1772698089000",
        "CallEstablishedTimeUTC": "05.03.2026 07:08:13",
        "RecordingUrl": "http://rec/1",
        "Transcription": "Ann: [laughs] hi",
        "Summary": "Short",
        "Sentiment": "4",
        "Contact::FirstName": "Ann",
        "Contact::PhoneMobile": NUMBER,
        "Contact::PhotoUrl": "",
    }


@pytest.mark.parametrize(
    ("begin", "answered", "call_type", "direction"),
    [
        ("ring", True, "Inbound", "Inbound"),
        ("ring", False, "Missed", "Inbound"),
        ("dial", True, "Outbound", "Outbound"),
        ("dial", False, "Notanswered", "Outbound"),
    ],
)
def test_each_kind_of_call_has_its_type(
    begin: str, answered: bool, call_type: str, direction: str
) -> None:
    crm, pbx = logged()
    pbx.hang_up(getattr(pbx, begin)(NUMBER), answered=answered)
    sent = crm.asked[-1].json
    assert (sent["CallType"], sent["CallDirection"]) == (call_type, direction)
    assert (sent["CallEstablishedTimeUTC"] == "") is not answered
    assert (sent["Duration"] == "00:00:00") is not answered


def test_formatting_the_established_time_of_a_missed_call_stops_the_report() -> None:
    inside = '<Value Key="t">[[CallEstablishedTimeUTC].ToString("s")]</Value>'
    crm = crm_with()
    pbx = Pbx(template(lookup() + report(inside)), app=crm)
    journal = pbx.hang_up(pbx.ring(NUMBER), answered=False)
    assert "null" in journal.failures[0].reason
    assert [each.path for each in crm.asked] == ["/find"]
    assert pbx.hang_up(pbx.ring(NUMBER)).ok


def test_an_older_pbx_leaves_the_placeholders_of_what_it_does_not_know() -> None:
    crm, pbx = logged(version=18)
    pbx.hang_up(pbx.ring(NUMBER), transcription="never seen")
    assert crm.asked[-1].json["Transcription"] == "[Transcription]"


def test_the_same_report_can_be_sent_again() -> None:
    crm, pbx = logged()
    journal = pbx.hang_up(pbx.ring(NUMBER))
    again = pbx.report_again(journal)
    assert crm.asked[-1].body == crm.asked[-2].body
    assert again.call_type == journal.call_type


def test_no_two_calls_of_a_pbx_begin_in_the_same_second() -> None:
    _, pbx = logged(clock=lambda: AT.replace(microsecond=5))
    starts = [pbx.ring(NUMBER).started for _ in range(3)]
    assert starts == [AT, AT + timedelta(seconds=1), AT + timedelta(seconds=2)]


def test_a_template_without_a_report_cannot_report() -> None:
    pbx = Pbx(template(lookup()), app=crm_with())
    with pytest.raises(ScenarioError):
        pbx.hang_up(pbx.ring(NUMBER))


CREATE = """<Scenario Id="CreateContactRecord"><Request Url="http://crm/new" RequestType="Post"
  RequestEncoding="Json"><PostValues><Value Key="n">[Number]</Value></PostValues></Request>
  <Variables><Variable Name="Id" Path="id"/></Variables>
  <Outputs AllowEmpty="false"><Output Type="FirstName" Value="New"/>
  <Output Type="ContactUrl" Value="http://crm/[Id]"/><Output Type="EntityId" Value="[Id]"/>
  </Outputs></Scenario>"""


def strangers(asked: Any) -> Any:
    return {"people": []} if asked.path == "/find" else {"id": 9}


def test_an_unknown_caller_is_created_where_the_template_can() -> None:
    crm = Crm(strangers)
    pbx = Pbx(template(lookup() + CREATE + report(values("EntityId"))), app=crm)
    call = pbx.ring(NUMBER)
    assert call.screen_pop == "http://crm/9"
    assert crm.asked[1].json == {"n": NUMBER}
    pbx.hang_up(call)
    assert crm.asked[-1].json == {"EntityId": "9"}
    assert "# CreateContactRecord" in call.show()
    assert (call.dropped, call.failures, call.notes) == ((), (), ())


def test_creating_unknown_callers_can_be_switched_off() -> None:
    crm = Crm(strangers)
    call = Pbx(template(lookup() + CREATE), app=crm, create_unknown=False).ring(NUMBER)
    assert call.created is None
    assert len(crm.asked) == 1


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
