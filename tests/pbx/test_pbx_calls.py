"""The story of a call: who is shown, what is dropped, what is reported."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from callhelm_threecx.pbx import Agent, Pbx, ScenarioError, StrictError
from tests.pbx.crm import CREATE, Crm, lookup, person, report, strangers, template, values

NUMBER = "+14155550100"
AT = datetime(2026, 3, 5, 7, 8, 9, tzinfo=timezone.utc)


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
