"""What a PBX reports, read from its JSON fields."""

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services.reports import (
    CallReport,
    CallType,
    Direction,
    call_report,
    chat_report,
    text_fields,
)

CALL = {
    "CallType": "Inbound",
    "Number": "+4930123456",
    "Agent": "101",
    "CallStartTimeUTC": "2026-11-22T08:35:00Z",
}
CHAT = {
    "ChatMessages": "Hello",
    "Number": "+4930123456",
    "Agent": "101",
    "ChatStartTimeUTC": "2026-11-22T08:35:00Z",
}


def call(**changes: Any) -> CallReport:
    return call_report({**CALL, **changes})


def faults(read: Any, body: dict[str, Any]) -> list[str]:
    with pytest.raises(BadInputError) as caught:
        read(body)
    assert caught.value.errors[0].field in caught.value.message
    return [error.field for error in caught.value.errors]


@pytest.mark.parametrize(
    ("call_type", "direction"),
    [
        ("Inbound", Direction.INBOUND),
        ("Missed", Direction.INBOUND),
        ("Outbound", Direction.OUTBOUND),
        ("Notanswered", Direction.OUTBOUND),
    ],
)
def test_the_direction_follows_from_the_type_unless_it_is_given(
    call_type: str, direction: Direction
) -> None:
    assert call(CallType=call_type).direction is direction
    assert call(CallType=call_type, CallDirection="[CallDirection]").direction is direction
    assert call(CallType=call_type, CallDirection="Outbound").direction is Direction.OUTBOUND


@pytest.mark.parametrize("text", ["missed", "MISSED", " Missed "])
def test_a_type_is_read_whatever_its_case(text: str) -> None:
    assert call(CallType=text).call_type is CallType.MISSED


def test_every_field_has_its_place() -> None:
    names = "Number Name Email EntityId EntityType Agent AgentEmail AgentFirstName AgentLastName"
    texts = {name: f"a {name}" for name in names.split()}
    more = "QueueExtension Subject RecordingUrl Transcription Summary Sentiment"
    texts.update({name: f"a {name}" for name in more.split()})
    report = call(**texts, Duration="00:01:02", CallEndTimeUTC="2026-11-22T08:36:02Z")
    party, agent = report.party, report.agent
    assert (party.number, party.name, party.email) == ("a Number", "a Name", "a Email")
    assert (party.entity_id, party.entity_type) == ("a EntityId", "a EntityType")
    assert (agent.extension, agent.email) == ("a Agent", "a AgentEmail")
    assert agent.name == "a AgentFirstName a AgentLastName"
    assert (report.queue_extension, report.subject) == ("a QueueExtension", "a Subject")
    assert (report.recording_url, report.transcription) == ("a RecordingUrl", "a Transcription")
    assert (report.summary, report.sentiment) == ("a Summary", "a Sentiment")
    assert report.started_at == datetime(2026, 11, 22, 8, 35, tzinfo=timezone.utc)
    assert report.ended_at == datetime(2026, 11, 22, 8, 36, 2, tzinfo=timezone.utc)
    assert report.duration_seconds == 62
    assert report.raw["Subject"] == "a Subject"


def test_unresolved_placeholders_nulls_and_blanks_are_absent() -> None:
    names = "CallDirection Name EntityId Duration CallEndTimeUTC Transcription QueueExtension"
    placeholders = call(**{name: f"[{name}]" for name in names.split()})
    nulls = call(**dict.fromkeys(names.split()))
    blanks = call(**dict.fromkeys(names.split(), " "))
    for report in (placeholders, nulls, blanks):
        assert report.direction is Direction.INBOUND
        assert (report.party.name, report.party.entity_id) == ("", "")
        assert (report.duration_seconds, report.ended_at) == (None, None)
        assert (report.transcription, report.queue_extension) == ("", "")


def test_a_transcript_with_brackets_is_kept() -> None:
    assert call(Transcription="[00:01] Hello [laughs]").transcription == "[00:01] Hello [laughs]"


@pytest.mark.parametrize(("given_as", "kept"), [(101, "101"), (True, "True"), (1.5, "1.5")])
def test_numbers_and_booleans_are_taken_for_their_text(given_as: Any, kept: str) -> None:
    assert call(Agent=given_as).agent.extension == kept


@pytest.mark.parametrize(
    ("end", "duration", "seconds"),
    [
        ("2026-11-22T08:36:30Z", None, 90),
        ("2026-11-22T08:36:30.999Z", None, 90),
        ("2026-11-22T08:36:30Z", "00:00:05", 5),
        ("2026-11-22T08:34:00Z", None, None),
        ("9999-12-31T00:00:00Z", None, 2**31 - 1),
        (None, None, None),
    ],
)
def test_a_missing_duration_follows_from_start_and_end(
    end: str | None, duration: str | None, seconds: int | None
) -> None:
    assert call(CallEndTimeUTC=end, Duration=duration).duration_seconds == seconds


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"CallType": None}, ["CallType"]),
        ({"CallType": "[CallType]"}, ["CallType"]),
        ({"CallType": "Internal"}, ["CallType"]),
        ({"CallDirection": "Sideways"}, ["CallDirection"]),
        ({"Number": None}, ["Number"]),
        ({"Number": "[Number]", "EntityId": ""}, ["Number"]),
        ({"Duration": "long"}, ["Duration"]),
        ({"CallStartTimeUTC": "yesterday"}, ["CallStartTimeUTC"]),
        ({"CallEndTimeUTC": "13/13/2026 8:00"}, ["CallEndTimeUTC"]),
        ({"Name": "x" * 321}, ["Name"]),
        ({"Agent": "1" * 65}, ["Agent"]),
        ({"Number": {"a": 1}}, ["Number"]),
        ({"Unheard": [1]}, ["Unheard"]),
        ({"CallType": "x", "Duration": "y", "Agent": []}, ["Agent", "CallType", "Duration"]),
    ],
)
def test_every_fault_of_a_call_report_is_named(changes: dict[str, Any], fields: list[str]) -> None:
    assert faults(call_report, {**CALL, **changes}) == fields


def test_a_call_needs_a_number_or_an_entity() -> None:
    assert call(Number="", EntityId="7").party.entity_id == "7"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"ChatMessages": ""}, ["ChatMessages"]),
        ({"ChatMessages": "[ChatMessages]"}, ["ChatMessages"]),
        ({"Number": ""}, ["Number"]),
        ({"ChatEndTimeUTC": "x"}, ["ChatEndTimeUTC"]),
    ],
)
def test_every_fault_of_a_chat_report_is_named(changes: dict[str, Any], fields: list[str]) -> None:
    assert faults(chat_report, {**CHAT, **changes}) == fields


@pytest.mark.parametrize("party", ["Number", "Email", "EntityId"])
def test_a_chat_needs_one_name_of_its_party(party: str) -> None:
    report = chat_report({"ChatMessages": "Hello", party: "x"})
    assert report.messages == "Hello"


def test_named_texts_are_read_and_others_left_out() -> None:
    assert text_fields({"A": " a ", "B": None, "C": "c"}, {"A": 5, "B": 5}) == {"A": "a", "B": ""}
    assert faults(lambda body: text_fields(body, {"A": 5}), {"A": "123456"}) == ["A"]


def fingerprint(**changes: Any) -> str:
    return call(**changes).fingerprint("acme", "DE")


@pytest.mark.parametrize(
    "changes",
    [
        {"Number": "030 123456"},
        {"Number": "0049 30 123456"},
        {"CallStartTimeUTC": "2026-11-22T08:35:00.999Z"},
        {"CallStartTimeUTC": "2026-11-22T09:35:00+01:00"},
        {"CallStartTimeUTC": "11/22/2026 8:35:00 AM"},
        {"CallType": "inbound"},
        {"Duration": "00:01:00", "Summary": "s", "EntityId": "7", "AgentEmail": "a@b.org"},
    ],
)
def test_the_same_call_has_the_same_fingerprint(changes: dict[str, Any]) -> None:
    assert fingerprint(**changes) == fingerprint()


@pytest.mark.parametrize(
    "changes",
    [
        {"Number": "+4930123457"},
        {"Number": "anonymous"},
        {"Number": "", "EntityId": "7"},
        {"Agent": "102"},
        {"Agent": ""},
        {"Agent": "", "AgentEmail": "a@b.org"},
        {"Agent": "", "AgentFirstName": "Anna"},
        {"CallType": "Missed"},
        {"CallStartTimeUTC": "2026-11-22T08:35:01Z"},
        {"CallStartTimeUTC": ""},
    ],
)
def test_another_call_has_another_fingerprint(changes: dict[str, Any]) -> None:
    assert fingerprint(**changes) != fingerprint()
    assert len(fingerprint(**changes)) == 64


def test_another_organization_or_kind_has_another_fingerprint() -> None:
    assert call().fingerprint("other", "DE") != fingerprint()
    assert chat_report(CHAT).fingerprint("acme", "DE") != fingerprint()


def test_without_a_start_everything_else_must_be_the_same() -> None:
    unknown = {"CallStartTimeUTC": None}
    assert fingerprint(**unknown) == fingerprint(**unknown)
    assert fingerprint(**unknown, Duration="1:00") != fingerprint(**unknown, Duration="2:00")
    one, two = (
        chat_report({"Number": "1", "ChatMessages": text}).fingerprint("acme", "DE")
        for text in ("one", "two")
    )
    assert one != two


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
known_names = st.sampled_from([*CALL, *CHAT, "Duration", "EntityId", "CallDirection", "Email"])
bodies = st.dictionaries(known_names | st.text(max_size=8), json_values, max_size=8)


@pytest.mark.parametrize(("read", "base"), [(call_report, CALL), (chat_report, CHAT)])
@given(body=bodies, complete=st.booleans())
def test_any_json_object_is_a_report_or_bad_input(
    read: Any, base: dict[str, Any], body: dict[str, Any], complete: bool
) -> None:
    try:
        report = read({**base, **body} if complete else body)
    except BadInputError as ex:
        assert ex.errors  # noqa: PT017 - both ways are right
    else:
        assert len(report.fingerprint("acme", "DE")) == 64
        assert "\x00" not in "".join(report.raw)
