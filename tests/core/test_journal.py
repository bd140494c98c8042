"""Calls and chats are logged once, with their contact, agent and event, all or nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.models import CallRow, ChatRow, ContactRow
from callhelm_threecx.services.agents import Agents
from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.services.journal import Journal, Recorded
from tests.core.calls import CALL, CHAT, journal_events, kept

THREADS, REPORTS = 8, 200


def test_a_call_is_kept_with_all_that_was_reported(
    database: Database, journal: Journal, acme: Integration
) -> None:
    more = {
        "Name": "Anna",
        "QueueExtension": "800",
        "Subject": "Order",
        "RecordingUrl": "https://pbx/1.wav",
        "Transcription": "[00:01] Hello",
        "Summary": "[Summary]",
        "Sentiment": "good",
    }
    recorded = journal.record_call(acme, {**CALL, **more})
    (call,) = kept(database, CallRow)
    assert str(call.id) == recorded.id
    assert (call.call_type, call.direction) == ("Inbound", "Inbound")
    assert (call.number, call.name, call.queue_extension) == ("+4930123456", "Anna", "800")
    assert (call.subject, call.recording_url) == ("Order", "https://pbx/1.wav")
    assert (call.transcription, call.summary, call.sentiment) == ("[00:01] Hello", "", "good")
    assert call.started_at == datetime(2026, 11, 22, 8, 35, tzinfo=timezone.utc)
    assert call.duration_seconds == 60
    assert call.agent_extension == "101"


def test_the_event_tells_of_the_call_but_not_its_long_texts_again(
    database: Database, journal: Journal, acme: Integration
) -> None:
    body = {**CALL, "Transcription": "long", "Summary": "long", "apiKey": "3cx_secret"}
    recorded = journal.record_call(acme, body)
    (event,) = journal_events(database)
    assert (event.event_type, event.status, event.call_id) == ("journal", "ok", recorded.id)
    assert (event.call_type, event.call_direction) == ("Inbound", "Inbound")
    assert (event.phone_number, event.agent_extension) == ("+4930123456", "101")
    assert event.duration_seconds == 60
    assert event.raw_data["Number"] == "+4930123456"
    assert not {"Transcription", "Summary", "apiKey"} & set(event.raw_data)


@pytest.mark.parametrize("kind", ["call", "chat"])
def test_the_same_report_again_adds_nothing_but_an_event(
    database: Database, journal: Journal, acme: Integration, kind: str
) -> None:
    record: Callable[..., Recorded] = getattr(journal, f"record_{kind}")
    body: dict[str, Any] = CALL if kind == "call" else CHAT
    first = record(acme, body)
    again = record(acme, {**body, "Number": "030 123456", "Subject": "late"})
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.id == first.id
    (row,) = kept(database, CallRow if kind == "call" else ChatRow)
    assert row.subject == ""
    assert [event.status for event in journal_events(database)] == ["ok", "duplicate"]


def test_organizations_may_report_the_same_call(
    database: Database, journal: Journal, integrations: Integrations, acme: Integration
) -> None:
    other = integrations.set_up("other")[0]
    assert journal.record_call(acme, CALL).duplicate is False
    assert journal.record_call(other, CALL).duplicate is False
    assert len(kept(database, CallRow, "other")) == 1


def test_a_report_that_cannot_be_read_leaves_nothing(
    database: Database, journal: Journal, acme: Integration
) -> None:
    with pytest.raises(BadInputError):
        journal.record_call(acme, {"Number": "1"})
    with pytest.raises(BadInputError):
        journal.record_chat(acme, {"Number": "1"})
    assert kept(database, CallRow) == []
    assert journal_events(database) == []


def test_eight_threads_that_send_the_same_reports_at_once_log_each_once(
    database: Database, journal: Journal, auto: Integration
) -> None:
    starts = [f"2026-11-22T08:{n // 60:02}:{n % 60:02}Z" for n in range(REPORTS)]
    reports = [
        {**CALL, "Number": f"+4930{200000 + n % 50}", "CallStartTimeUTC": start_time}
        for n, start_time in enumerate(starts)
    ]
    start = threading.Barrier(THREADS)

    def send(_: int) -> list[Recorded]:
        start.wait(60)
        return [journal.record_call(auto, report) for report in reports]

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(send, range(THREADS)))
    calls = kept(database, CallRow)
    assert len(calls) == REPORTS
    assert len(kept(database, ContactRow)) == 50
    for number in range(REPORTS):
        of_one = [answer[number] for answer in answers]
        assert [recorded.duplicate for recorded in of_one].count(False) == 1
        assert len({recorded.id for recorded in of_one}) == 1
        assert len({recorded.contact_id for recorded in of_one}) == 1
    statuses = [event.status for event in journal_events(database)]
    assert statuses.count("ok") == REPORTS
    assert statuses.count("duplicate") == REPORTS * (THREADS - 1)


@pytest.mark.parametrize(
    ("agent", "agent_id", "by"),
    [
        ({"Agent": "101"}, "u1", "extension"),
        ({"Agent": "101", "AgentEmail": "two@example.com"}, "u1", "extension"),
        ({"Agent": "102", "AgentEmail": "one@example.com"}, "u2", "extension"),
        ({"Agent": "999", "AgentEmail": "TWO@example.COM"}, "u2", "email"),
        ({"Agent": "", "AgentEmail": "one@example.com"}, "u1", "email"),
        ({"Agent": "", "AgentEmail": "shared@example.com"}, "u4", "email"),
        ({"Agent": "999", "AgentEmail": "nobody@example.com"}, None, None),
        ({"Agent": "300", "AgentEmail": "theirs@example.com"}, None, None),
        ({"Agent": ""}, None, None),
    ],
)
def test_the_agent_is_found_by_extension_then_by_address(
    *,
    database: Database,
    journal: Journal,
    acme: Integration,
    agents: Agents,
    agent: dict[str, str],
    agent_id: str | None,
    by: str | None,
) -> None:
    recorded = journal.record_call(acme, {**CALL, "Agent": "", **agent})
    (call,) = kept(database, CallRow)
    assert (recorded.agent_id, call.agent_id, call.attributed_by) == (agent_id, agent_id, by)
    assert call.agent_extension == agent["Agent"]
    assert journal_events(database)[0].raw_data["attributedBy"] == by


def test_the_mapping_names_the_agent_and_an_unmapped_one_keeps_the_pbxs_name(
    database: Database, journal: Journal, acme: Integration, agents: Agents
) -> None:
    name = {"AgentFirstName": "P", "AgentLastName": "BX", "AgentEmail": "pbx@example.com"}
    for extension in ("101", "102", "999"):
        journal.record_call(acme, {**CALL, **name, "Agent": extension})
    named = {c.agent_extension: (c.agent_name, c.agent_email) for c in kept(database, CallRow)}
    assert named == {
        "101": ("Olga One", "one@example.com"),
        "102": ("P BX", "Two@Example.com"),
        "999": ("P BX", "pbx@example.com"),
    }


def test_a_chat_is_kept_and_attributed_like_a_call(
    database: Database, journal: Journal, auto: Integration, agents: Agents
) -> None:
    recorded = journal.record_chat(auto, {**CHAT, "Name": "Anna", "Email": "a@b.org"})
    (chat,) = kept(database, ChatRow)
    assert (chat.messages, chat.email, chat.agent_id) == ("Hello", "a@b.org", "u1")
    assert chat.contact_id == recorded.contact_id is not None
    (event,) = journal_events(database)
    assert (event.event_type, event.call_id) == ("chat", recorded.id)
    assert "ChatMessages" not in event.raw_data
