"""A call that a PBX reports becomes a call of the host, once, in the host's own words."""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from callhelm_threecx.keys import KeyRing
from callhelm_threecx.models import CallRow, EventRow
from callhelm_threecx.services.integrations import Change, Integration, Integrations
from callhelm_threecx.services.journal import FoundContact, Journal
from callhelm_threecx.stores.base import Organization
from tests.callhelm.hosts import Host, new_host
from tests.client import SECRET_KEY
from tests.servers import PostgresSource

START = datetime(2026, 11, 22, 8, 35, tzinfo=timezone.utc)
END = datetime(2026, 11, 22, 8, 36, 30, tzinfo=timezone.utc)
CALL = {
    "CallType": "Inbound",
    "Number": "(415) 555-2671",
    "Agent": "101",
    "Duration": "00:01:30",
    "CallStartTimeUTC": "2026-11-22T08:35:00Z",
    "CallEndTimeUTC": "2026-11-22T08:36:30Z",
}


@pytest.fixture(scope="module")
def host(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def organization(host: Host) -> Organization:
    return host.organization()


@pytest.fixture
def integration(host: Host, organization: Organization) -> Integration:
    integrations = Integrations(host.database, KeyRing([SECRET_KEY]), "US")
    return integrations.set_up(organization.id)[0]


@pytest.fixture
def journal(host: Host) -> Journal:
    return Journal(host.database, host.store)


def the_call(host: Host, integration: Integration) -> dict[str, Any]:
    (call,) = host.calls(integration.organization)
    return call


@pytest.mark.parametrize(
    ("call_type", "expected"),
    [
        ("Inbound", ("inbound", "answered", "+14155552671", "101")),
        ("Missed", ("inbound", "missed", "+14155552671", "101")),
        ("Outbound", ("outbound", "answered", "101", "+14155552671")),
        ("Notanswered", ("outbound", "missed", "101", "+14155552671")),
    ],
)
def test_each_type_has_its_direction_status_and_numbers(
    host: Host,
    journal: Journal,
    integration: Integration,
    call_type: str,
    expected: tuple[str, ...],
) -> None:
    journal.record_call(integration, {**CALL, "CallType": call_type})
    call = the_call(host, integration)
    names = ("direction", "status", "caller_number", "called_number")
    assert tuple(call[name] for name in names) == expected
    assert call["metadata"]["threecx"]["callType"] == call_type


def test_a_call_carries_everything_that_the_host_has_a_column_for(
    host: Host, journal: Journal, integration: Integration
) -> None:
    contact = host.contact(integration.organization, "415.555.2671 x12", first_name="Sam")
    member = host.member(integration.organization, three_cx_extension="101")
    report = {
        **CALL,
        "Name": "Sam",
        "QueueExtension": "800",
        "RecordingUrl": "https://pbx.example.com/r/1",
        "Transcription": "Hello. Goodbye.",
        "Summary": "They said hello.",
        "Sentiment": "Positive",
        "Subject": "Greetings",
    }
    recorded = journal.record_call(integration, report)
    call = the_call(host, integration)
    assert (str(call["id"]), recorded.contact_id) == (recorded.id, contact)
    assert (str(call["contact_id"]), str(call["member_id"])) == (contact, member)
    assert (call["start_time"], call["end_time"], call["duration"]) == (START, END, 90)
    texts = ("recording_url", "transcription", "ai_summary", "ai_sentiment", "notes")
    assert [call[name] for name in texts] == [
        "https://pbx.example.com/r/1",
        "Hello. Goodbye.",
        "They said hello.",
        "Positive",
        "Greetings",
    ]
    kept = call["metadata"]["threecx"]
    assert (kept["queueExtension"], kept["report"]["Number"]) == ("800", "(415) 555-2671")
    assert "Transcription" not in kept["report"]


def test_long_texts_are_kept_by_the_host_alone(
    host: Host, journal: Journal, integration: Integration
) -> None:
    journal.record_call(integration, {**CALL, "Transcription": "Hello.", "Summary": "Short."})
    with host.database.read(integration.organization_id) as session:
        (ours,) = session.query(CallRow).all()
    assert (ours.transcription, ours.summary) == ("", "")


def test_the_same_report_again_changes_nothing(
    host: Host, journal: Journal, integration: Integration
) -> None:
    first = journal.record_call(integration, CALL)
    second = journal.record_call(integration, CALL)
    assert (second.id, second.duplicate) == (first.id, True)
    assert len(host.calls(integration.organization)) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (START, END, 90)),
        ({"Duration": ""}, (START, END, 90)),
        ({"CallEndTimeUTC": ""}, (START, END, 90)),
        ({"CallStartTimeUTC": ""}, (START, END, 90)),
        ({"CallEndTimeUTC": "", "Duration": ""}, (START, None, None)),
    ],
)
def test_what_a_pbx_leaves_out_of_its_times_follows_from_the_rest(
    host: Host,
    journal: Journal,
    integration: Integration,
    changes: dict[str, str],
    expected: tuple[object, ...],
) -> None:
    journal.record_call(integration, {**CALL, **changes})
    call = the_call(host, integration)
    assert (call["start_time"], call["end_time"], call["duration"]) == expected


def test_without_any_time_a_call_began_now(
    host: Host, journal: Journal, integration: Integration
) -> None:
    before = datetime.now(timezone.utc)
    journal.record_call(integration, {"CallType": "Missed", "Number": "+14155552671"})
    call = the_call(host, integration)
    assert before <= call["start_time"] <= datetime.now(timezone.utc)
    assert call["called_number"] == ""


def test_a_call_to_a_queue_that_nobody_took_was_to_the_queue(
    host: Host, journal: Journal, integration: Integration
) -> None:
    report = {**CALL, "CallType": "Missed", "Agent": "", "QueueExtension": "800"}
    journal.record_call(integration, report)
    assert the_call(host, integration)["called_number"] == "800"


def test_overlong_texts_are_cut_to_the_column_and_whole_in_the_metadata(
    host: Host, journal: Journal, integration: Integration
) -> None:
    report = {**CALL, "Sentiment": "s" * 80, "Number": "1" * 200}
    journal.record_call(integration, report)
    call = the_call(host, integration)
    assert (call["ai_sentiment"], call["caller_number"]) == ("s" * 50, "1" * 50)
    assert call["metadata"]["threecx"]["report"]["Sentiment"] == "s" * 80


def test_a_call_and_its_event_are_kept_together_or_not_at_all(
    host: Host, journal: Journal, integration: Integration
) -> None:
    host.own.execute(
        "ALTER TABLE calls ADD CONSTRAINT no_such_note CHECK (notes IS DISTINCT FROM 'refuse me')"
    )
    with pytest.raises(Exception, match="no_such_note"):
        journal.record_call(integration, {**CALL, "Subject": "refuse me"})
    with host.database.read(integration.organization_id) as session:
        assert session.query(CallRow).count() == 0
        assert session.query(EventRow).filter(EventRow.event_type == "journal").count() == 0
    journal.record_call(integration, CALL)
    assert len(host.calls(integration.organization)) == 1


def test_a_contact_that_is_made_for_a_call_is_the_hosts(
    host: Host, journal: Journal, integration: Integration
) -> None:
    integrations = Integrations(host.database, KeyRing([SECRET_KEY]), "US")
    change = Change(settings={"auto_create_contacts": True})
    auto = integrations.change(integration.organization_id, change)
    recorded = journal.record_call(auto, {**CALL, "Name": "New Caller"})
    call = the_call(host, integration)
    assert str(call["contact_id"]) == recorded.contact_id
    assert host.row(str(recorded.contact_id))["full_name"] == "New Caller"


def test_another_organizations_contact_is_not_this_calls(
    host: Host, journal: Journal, integration: Integration
) -> None:
    theirs = host.contact(host.organization(), "+49 30 999999", first_name="Theirs")
    recorded = journal.record_call(integration, {**CALL, "EntityId": theirs})
    assert recorded.contact_id is None
    assert the_call(host, integration)["contact_id"] is None


def test_a_contact_that_is_deleted_meanwhile_costs_no_call(
    host: Host, integration: Integration
) -> None:
    contact = host.contact(integration.organization, "415 555 2671", first_name="Brief")

    class Deleting(Journal):
        def _contact_of(self, *report: Any) -> FoundContact:
            found = super()._contact_of(*report)
            host.own.execute("DELETE FROM contacts WHERE id = %s", (contact,))
            return found

    Deleting(host.database, host.store).record_call(integration, CALL)
    assert the_call(host, integration)["contact_id"] is None
