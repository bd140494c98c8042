"""The log in words."""

from typing import Any

import pytest

from callhelm_threecx.console import event_words as words
from callhelm_threecx.models import EventRow


def event(kind: str, status: str = "ok", raw: Any = None, **fields: Any) -> EventRow:
    row = EventRow(organization_id="acme", event_type=kind, status=status, **fields)
    row.raw_data = {} if raw is None else raw
    return row


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        (event("lookup", raw={"number": "1", "found": 1}), ""),
        (event("lookup", raw={"number": "1", "found": 3}), "3 contacts"),
        (
            event("lookup", raw={"email": "a@b.example", "found": 2}),
            "by e-mail address, 2 contacts",
        ),
        (event("lookup", raw={"id": "7", "found": 1}), "by contact id"),
        (event("search", raw={"query": "anna", "found": 1}), "“anna”: 1 contact"),
        (event("search", "no_match", {"query": "anna", "found": 0}), "“anna”: 0 contacts"),
        (
            event("journal", call_direction="Outbound", call_type="Notanswered"),
            "outgoing, not answered",
        ),
        (
            event("journal", call_direction="Inbound", call_type="Inbound", duration_seconds=205),
            "incoming, answered · 3:25",
        ),
        (event("chat", duration_seconds=65), "1:05"),
        (event("template", raw={"client": "192.0.2.1"}), "from 192.0.2.1"),
        (
            event("setup", raw={"action": "rotate_key", "by": "user", "userName": "Ada"}),
            "key replaced by Ada",
        ),
        (
            event("setup", raw={"action": "invent_act", "by": "admin key", "origin": "::1"}),
            "invent act by admin key from ::1",
        ),
        (event("refused", "refused", error="feature_disabled: It is off."), "It is off."),
        (event("lookup", "error", error="boom"), "boom"),
        (event("of_tomorrow"), ""),
    ],
)
def test_a_line_tells_what_is_telling(row: EventRow, detail: str) -> None:
    assert words.detail_of(row) == detail


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (event("lookup", raw={"found": 1}, phone_number="+1"), "One contact matches this number."),
        (
            event("lookup", raw={"found": 2}, phone_number="+1"),
            "2 contacts match this number; the best match is named here.",
        ),
        (event("lookup", "no_match", phone_number="+1"), "No contact matches this number."),
        (
            event("lookup", "no_match", phone_number="anonymous"),
            "The caller's number was withheld: there is nothing to look for.",
        ),
        (event("lookup", "no_match", {"email": "a@b"}), "No contact matches this e-mail address."),
        (
            event("search", raw={"found": 4}),
            "4 contacts with every word. The first one is named here.",
        ),
        (event("create_contact"), "An agent created it at the phone."),
        (
            event("journal", raw={"contactFoundBy": "id"}, contact_id="7"),
            "The PBX named the contact: a lookup had shown it to the agent.",
        ),
        (
            event("journal", raw={"contactFoundBy": "number"}, contact_id="7"),
            "The number is the contact's.",
        ),
        (
            event("journal", raw={"contactFoundBy": "created"}, contact_id="7"),
            "It was created for this report.",
        ),
        (event("journal", contact_id="7", phone_number="+1"), ""),
        (
            event("chat", raw={"contactFoundBy": "email"}, contact_id="7"),
            "It has the e-mail address.",
        ),
        (
            event("journal", phone_number="+1"),
            "No contact has this number or address, and none was created.",
        ),
        (event("journal", "error", phone_number="+1"), ""),
        (event("setup"), ""),
    ],
)
def test_it_is_said_how_the_contact_was_found(row: EventRow, sentence: str) -> None:
    assert words.contact_finding(row) == sentence


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"attributedBy": "extension"}, "The extension 101 is mapped to this agent."),
        (
            {"attributedBy": "email", "AgentEmail": "mia@b.example"},
            "Not the extension, but the address mia@b.example is mapped.",
        ),
        ({"attributedBy": "member_extension"}, "A user of the CRM has the extension 101."),
        (
            {"attributedBy": "member_email", "AgentEmail": "[AgentEmail]"},
            "A user of the CRM has the address that the PBX named.",
        ),
        (
            {"attributedBy": None},
            "Nobody is mapped to the extension 101: the name is the PBX's own.",
        ),
        ({}, "Not known: the log entry is an earlier integration's."),
        ([1, 2], "Not known: the log entry is an earlier integration's."),
    ],
)
def test_it_is_said_how_the_agent_was_found(raw: Any, sentence: str) -> None:
    assert words.agent_finding(event("journal", raw=raw, agent_extension="101")) == sentence


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({}, "The PBX named no agent."), ({"email": "a@b"}, "Nobody is mapped to this agent.")],
)
def test_an_agent_may_be_nobody(fields: dict[str, str], sentence: str) -> None:
    assert words.attribution(None, **fields) == sentence


def test_what_a_later_version_logs_is_shown_as_it_is() -> None:
    row = event("of_tomorrow", "half_done")
    assert (words.type_of(row), words.status_of(row)) == ("of_tomorrow", ("", "half_done"))
