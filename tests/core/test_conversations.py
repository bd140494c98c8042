"""Calls and chats of the default store: pages, filters, one by one, and the extensions in them."""

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import BadInputError, NotFoundError
from callhelm_threecx.models import CallRow, ChatRow
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.conversations import ConversationFilter, Conversations
from callhelm_threecx.services.extensions import Extensions, UnmappedExtension
from callhelm_threecx.services.integrations import Change, Integrations
from callhelm_threecx.services.reports import CallType
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.calls import ACME, ANNA
from tests.core.plans import watched

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database, "US")


def call(database: Database, organization: str = "acme", **fields: Any) -> CallRow:
    fields = {"started_at": NOON, "call_type": "Inbound", "direction": "Inbound", **fields}
    return _kept(database, CallRow(**_common(organization), **fields))


def chat(database: Database, organization: str = "acme", **fields: Any) -> ChatRow:
    fields = {"started_at": NOON, "messages": "Hello", **fields}
    return _kept(database, ChatRow(**_common(organization), **fields))


def _common(organization: str) -> dict[str, Any]:
    return {"organization_id": organization, "fingerprint": uuid.uuid4().hex}


def _kept(database: Database, row: Any) -> Any:
    with database.write(row.organization_id) as session:
        session.add(row)
        session.flush()
        session.expunge_all()
    return row


ACMES = ConversationFilter("acme")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_pages_have_no_gap_and_no_double(
    database: Database, conversations: Conversations, size: int
) -> None:
    kept = [call(database, started_at=NOON + (n // 2) * HOUR) for n in range(5)]
    call(database, "other")
    seen: list[uuid.UUID] = []
    cursor: str | None = None
    for _ in range(6):
        page = conversations.calls(ACMES, limit=size, cursor=cursor)
        seen += [row.id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    newest = sorted(kept, key=lambda row: (row.happened_at, row.id), reverse=True)
    assert seen == [row.id for row in newest]


MOMENTS: dict[str, tuple[dict[str, Any], datetime | None]] = {
    "its start": ({"started_at": NOON, "ended_at": NOON + HOUR}, NOON),
    "else its end": ({"started_at": None, "ended_at": NOON + HOUR}, NOON + HOUR),
    "else when it was recorded": ({"started_at": None}, None),
}


@pytest.mark.parametrize("way", MOMENTS)
def test_a_call_happened_at(database: Database, conversations: Conversations, way: str) -> None:
    fields, expected = MOMENTS[way]
    row = conversations.call("acme", str(call(database, **fields).id)).row
    assert abs(row.happened_at - (expected or row.created_at)) < timedelta(seconds=1)


FILTERS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "nothing": ({}, [3, 2, 1, 0]),
    "a type": ({"call_type": CallType.MISSED}, [2]),
    "a number": ({"number": "+4930123456"}, [1, 0]),
    "a number in the organization's national form": ({"number": "030 123456"}, [1, 0]),
    "a withheld number": ({"number": "anonymous"}, [3]),
    "an agent": ({"agent": "101"}, [2, 0]),
    "a contact": ({"contact_id": "c1"}, [1]),
    "a number and an agent": ({"number": "+4930123456", "agent": "101"}, [0]),
    "an agent and a type": ({"agent": "101", "call_type": CallType.MISSED}, [2]),
    "a contact and another agent": ({"contact_id": "c1", "agent": "101"}, []),
    "since": ({"since": NOON + 2 * HOUR}, [3, 2]),
    "until, excluded": ({"until": NOON + 2 * HOUR}, [1, 0]),
    "a span and an agent": ({"since": NOON, "until": NOON + HOUR, "agent": "101"}, [0]),
}


@pytest.mark.parametrize("way", FILTERS)
def test_calls_are_filtered_by(
    database: Database, conversations: Conversations, integrations: Integrations, way: str
) -> None:
    integrations.set_up("acme")
    integrations.change("acme", Change(default_region="DE"))
    fields, expected = FILTERS[way]
    kept = [
        call(database, number="+4930123456", agent_extension="101"),
        call(database, number="+4930123456", contact_id="c1", started_at=NOON + HOUR),
        call(database, call_type="Missed", agent_extension="101", started_at=NOON + 2 * HOUR),
        call(database, number="anonymous", started_at=NOON + 3 * HOUR),
    ]
    call(database, "other", number="+4930123456", agent_extension="101", contact_id="c1")
    page = conversations.calls(ConversationFilter("acme", **fields))
    assert [row.id for row in page.rows] == [kept[n].id for n in expected]


def test_chats_are_filtered_alike_and_have_no_type(
    database: Database, conversations: Conversations
) -> None:
    kept = [chat(database, agent_extension="101"), chat(database, started_at=NOON - HOUR)]
    wanted = ConversationFilter("acme", call_type=CallType.MISSED)
    assert [row.id for row in conversations.chats(wanted).rows] == [row.id for row in kept]
    page = conversations.chats(ConversationFilter("acme", agent="101"))
    assert [row.id for row in page.rows] == [kept[0].id]


def test_the_names_of_contacts_come_in_one_more_statement(
    database: Database, conversations: Conversations, store: SqlContactStore
) -> None:
    anna, _ = store.create(ACME, ANNA)
    for contact_id in (anna.id, anna.id, str(uuid.uuid4()), "of another store", None):
        call(database, contact_id=contact_id)
    with watched(database) as statements:
        page = conversations.calls(ACMES)
    assert len(statements) == 2
    assert page.names == {anna.id: "Anna M\u00fcller"}


def test_a_call_and_a_chat_are_had_by_their_ids(
    database: Database, conversations: Conversations, store: SqlContactStore
) -> None:
    anna, _ = store.create(ACME, ANNA)
    one = conversations.call("acme", str(call(database, contact_id=anna.id).id))
    assert (one.row.contact_id, one.contact_name) == (anna.id, "Anna M\u00fcller")
    other = conversations.chat("acme", str(chat(database).id))
    assert (other.row.messages, other.contact_name) == ("Hello", None)


def test_what_is_not_there_or_another_organizations_is_not_found(
    database: Database, conversations: Conversations
) -> None:
    theirs = str(call(database, "other").id)
    for key in (theirs, str(uuid.uuid4()), "x", ""):
        with pytest.raises(NotFoundError):
            conversations.call("acme", key)
        with pytest.raises(NotFoundError):
            conversations.chat("acme", key)


def test_a_cursor_that_no_page_gave_is_bad_input(conversations: Conversations) -> None:
    with pytest.raises(BadInputError, match="cursor"):
        conversations.calls(ACMES, cursor="x")


# Extensions


def test_extensions_without_a_mapping_are_told_the_last_seen_first(database: Database) -> None:
    named = {"agent_name": "Olga One", "agent_email": "olga@example.com"}
    call(database, agent_extension="101", agent_name="Before")
    call(database, agent_extension="101", started_at=NOON + HOUR, **named)
    chat(database, agent_extension="101", started_at=NOON - HOUR)
    chat(database, agent_extension="102", started_at=NOON + 2 * HOUR, agent_name="Two")
    call(database, agent_extension="103")
    call(database, agent_extension="")
    call(database, "other", agent_extension="104")
    Agents(database).put("acme", NewMapping("103", "u3"))
    Agents(database).put("other", NewMapping("101", "theirs"))
    assert Extensions(database).unmapped("acme") == [
        UnmappedExtension("102", 0, 1, NOON + 2 * HOUR, "Two", ""),
        UnmappedExtension("101", 2, 1, NOON + HOUR, "Olga One", "olga@example.com"),
    ]


def test_calls_are_counted_to_a_hundred(database: Database) -> None:
    for _ in range(101):
        call(database, agent_extension="101")
    assert [one.calls for one in Extensions(database).unmapped("acme")] == [100]


def test_no_more_extensions_than_asked_for(database: Database) -> None:
    for number in range(5):
        call(database, agent_extension=f"10{number}")
    assert len(Extensions(database).unmapped("acme", limit=3)) == 3
    assert Extensions(database).unmapped("nobody") == []
