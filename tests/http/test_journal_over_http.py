"""Calls and chats that a PBX reports."""

import uuid

import pytest

from tests.client import ADMIN_KEY, Api
from tests.http.wire import CALL, CHAT, faulty_fields, refused, setup

ANSWER = {"success", "contactId", "agentId", "duplicate", "message"}
KINDS = [("/calls/journal", "callId", CALL), ("/chats/journal", "chatId", CHAT)]


@pytest.mark.parametrize(("path", "name", "report"), KINDS)
def test_a_report_is_201_and_the_same_again_200(
    api: Api, path: str, name: str, report: dict[str, str]
) -> None:
    first = api.post(path, report, status=201).json
    again = api.post(path, report, status=200).json
    assert set(first) == set(again) == ANSWER | {name}
    assert uuid.UUID(first[name])
    assert again[name] == first[name]
    assert (first["success"], first["duplicate"]) == (True, False)
    assert (again["success"], again["duplicate"]) == (True, True)
    assert first["contactId"] is None
    assert first["agentId"] is None


SAME_CALL = [
    {"Number": " 4930123456"},
    {"Number": "030 123456"},
    {"CallStartTimeUTC": "2026-11-22T08:35:00.9Z"},
    {"CallStartTimeUTC": "11/22/2026 8:35:00 AM"},
    {"CallStartTimeUTC": "2026-11-22T10:35:00+02:00"},
    {"CallType": "inbound"},
    {"Summary": "[Summary]", "Transcription": "late"},
]


@pytest.mark.parametrize("change", SAME_CALL)
def test_the_same_call_in_other_words_is_a_duplicate(api: Api, change: dict[str, str]) -> None:
    api.post("/calls/journal", CALL, status=201)
    api.post("/calls/journal", {**CALL, **change}, status=200)


OTHER_CALLS = [
    {"Number": "+4930123457"},
    {"CallStartTimeUTC": "2026-11-22T08:35:01Z"},
    {"CallType": "Missed"},
    {"Agent": "101"},
]


@pytest.mark.parametrize("change", OTHER_CALLS)
def test_another_number_start_type_or_agent_is_another_call(
    api: Api, change: dict[str, str]
) -> None:
    api.post("/calls/journal", CALL, status=201)
    api.post("/calls/journal", {**CALL, **change}, status=201)


BAD_CALLS = [
    ({}, ["CallType"]),
    ({"CallType": "Inbound"}, ["Number"]),
    ({"Number": "+4930123456"}, ["CallType"]),
    ({"CallType": "[CallType]", "Number": "1"}, ["CallType"]),
    ({**CALL, "CallType": "Internal"}, ["CallType"]),
    ({**CALL, "CallType": 7}, ["CallType"]),
    ({**CALL, "CallDirection": "Sideways"}, ["CallDirection"]),
    ({**CALL, "Duration": "soon"}, ["Duration"]),
    ({**CALL, "Duration": "-1"}, ["Duration"]),
    ({**CALL, "Duration": "00:61:00"}, ["Duration"]),
    ({**CALL, "CallStartTimeUTC": "yesterday"}, ["CallStartTimeUTC"]),
    ({**CALL, "CallEndTimeUTC": "2026-02-30T00:00:00Z"}, ["CallEndTimeUTC"]),
    ({**CALL, "Number": ["+4930"]}, ["Number"]),
    ({**CALL, "Agent": "1" * 65}, ["Agent"]),
    ({**CALL, "Duration": "x", "CallEndTimeUTC": "y"}, ["CallEndTimeUTC", "Duration"]),
]


@pytest.mark.parametrize(("report", "fields"), BAD_CALLS)
def test_a_call_that_cannot_be_read_names_every_field_at_fault(
    api: Api, report: dict[str, object], fields: list[str]
) -> None:
    assert sorted(faulty_fields(api.post("/calls/journal", report, status="*"))) == fields


BAD_CHATS = [
    ({}, ["ChatMessages"]),
    ({"ChatMessages": "Hi"}, ["Number"]),
    ({"ChatMessages": "[ChatMessages]", "Number": "1"}, ["ChatMessages"]),
    ({**CHAT, "ChatStartTimeUTC": "never"}, ["ChatStartTimeUTC"]),
    ({**CHAT, "Duration": "1:2:3:4"}, ["Duration"]),
]


@pytest.mark.parametrize(("report", "fields"), BAD_CHATS)
def test_a_chat_that_cannot_be_read_names_the_field(
    api: Api, report: dict[str, object], fields: list[str]
) -> None:
    assert faulty_fields(api.post("/chats/journal", report, status="*")) == fields


@pytest.mark.parametrize("party", [{"Number": "1"}, {"Email": "a@example.com"}, {"EntityId": "7"}])
def test_a_chat_needs_one_of_number_address_and_entity(api: Api, party: dict[str, str]) -> None:
    api.post("/chats/journal", {"ChatMessages": "Hi", **party}, status=201)


BLANK = [
    {"Duration": ""},
    {"Duration": "  "},
    {"Duration": "[Duration]"},
    {"CallStartTimeUTC": None, "CallEndTimeUTC": ""},
    {"CallStartTimeUTC": "[CallStartTimeUTC]", "Sentiment": "[Contact::Sentiment]"},
]


@pytest.mark.parametrize("change", BLANK)
def test_blank_and_unresolved_fields_count_as_absent(api: Api, change: dict[str, object]) -> None:
    api.post("/calls/journal", {**CALL, **change}, status=201)


DURATIONS = [("00:03:25", 205), ("1.02:03:04", 93784), ("03:25", 205), ("205", 205), (205, 205)]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_every_form_of_a_duration_is_read(api: Api, text: object, seconds: int) -> None:
    api.post("/calls/journal", {**CALL, "Duration": text}, status=201)
    assert api.events("type=journal")[0]["durationSeconds"] == seconds


def test_a_journaled_call_names_the_contact_that_owns_the_number(api: Api) -> None:
    contact = api.create(LastName="M", Number="+4930123456")
    answer = api.post("/calls/journal", CALL, status=201).json
    assert answer["contactId"] == contact["id"]


def test_an_entity_id_counts_when_the_contact_is_the_organizations_own(api: Api) -> None:
    contact = api.create(LastName="M", Number="+49301111111")
    report = {**CALL, "EntityId": contact["id"]}
    assert api.post("/calls/journal", report).json["contactId"] == contact["id"]


@pytest.mark.parametrize(
    "entity", ["7", "x" * 320, "01a20000-0000-7000-8000-000000000000", "' OR 1"]
)
def test_an_entity_id_of_nobody_is_ignored(api: Api, entity: str) -> None:
    report = {"CallType": "Inbound", "EntityId": entity}
    assert api.post("/calls/journal", report, status=201).json["contactId"] is None


def test_the_agent_is_found_by_extension_then_by_address_else_null(api: Api) -> None:
    mapping = {"organizationId": "acme", "extension": "101", "agentId": "u1"}
    api.post("/agents", {**mapping, "agentEmail": "Ann@example.com"}, key=ADMIN_KEY)
    by_extension = {**CALL, "Agent": "101", "AgentEmail": "other@example.com"}
    by_address = {**CALL, "Agent": "999", "AgentEmail": "ann@EXAMPLE.com"}
    assert api.post("/calls/journal", by_extension).json["agentId"] == "u1"
    assert api.post("/calls/journal", by_address).json["agentId"] == "u1"
    assert api.post("/calls/journal", {**CALL, "Agent": "102"}).json["agentId"] is None


def test_an_unknown_party_becomes_a_contact_when_the_organization_wants_it(api: Api) -> None:
    setup(api, settings={"auto_create_contacts": True})
    answer = api.post("/calls/journal", {**CALL, "Name": "Jan Novák"}, status=201).json
    [contact] = api.lookup("+4930123456")
    assert contact["id"] == answer["contactId"]
    assert (contact["firstName"], contact["lastName"]) == ("Jan", "Novák")


@pytest.mark.parametrize(
    ("path", "report", "setting"),
    [
        ("/calls/journal", CALL, "call_journaling_enabled"),
        ("/chats/journal", CHAT, "chat_journaling_enabled"),
    ],
)
def test_journaling_that_is_switched_off_is_403(
    api: Api, path: str, report: dict[str, str], setting: str
) -> None:
    setup(api, settings={setting: False})
    refused(api.post(path, report, status="*"), 403, "feature_disabled")
    setup(api, settings={setting: True})
    api.post(path, report, status=201)


def test_long_transcripts_with_brackets_are_taken_whole(api: Api) -> None:
    report = {**CALL, "Transcription": "[Agent]: hello [laughs]\n" * 20_000, "Summary": "[a b]"}
    api.post("/calls/journal", report, status=201)
