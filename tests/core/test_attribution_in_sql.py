"""Whose call it is, found by the statement that records it: as the rules say it for every other."""

from functools import partial
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from callhelm_threecx.db import Database
from callhelm_threecx.keys import KeyRing, generate_secret_key
from callhelm_threecx.models import AgentMappingRow, CallRow, EventRow
from callhelm_threecx.services.attribution import by_mapping
from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.services.journal import Journal
from callhelm_threecx.services.new_calls import agent_columns
from callhelm_threecx.services.reports import Agent
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.statements import recorded

pytestmark = pytest.mark.only("postgres")

MAPPINGS: list[dict[str, Any]] = [
    {"three_cx_extension": "100", "agent_id": "u1", "agent_email": "ann@example.com"},
    {"three_cx_extension": "101", "agent_id": None, "agent_email": "Ben@Example.com"},
    {"three_cx_extension": "102", "agent_id": "u2", "agent_first_name": "Cleo"},
    {"three_cx_extension": "103", "agent_id": "u3", "agent_last_name": "Doe"},
    {"three_cx_extension": "104", "agent_first_name": "Eve", "agent_last_name": "Fox"},
    {"three_cx_extension": "105", "agent_id": "u5", "agent_email": "shared@example.com"},
    {"three_cx_extension": "106", "agent_id": "u6", "agent_email": "SHARED@example.com"},
    {"three_cx_extension": "107", "agent_id": "", "agent_email": "", "agent_first_name": " "},
    {"three_cx_extension": "108"},
]
EXTENSIONS = ["", *(str(100 + n) for n in range(9)), "999"]
ADDRESSES = ["", "ann@example.com", "ben@example.com", "SHARED@EXAMPLE.COM", "x@example.com"]
MINUTES = count()


@pytest.fixture
def integration(database: Database) -> Integration:
    integrations = Integrations(database, KeyRing([generate_secret_key()]), "DE")
    for organization, wanted in (("acme", MAPPINGS), ("other", [{"three_cx_extension": "999"}])):
        integrations.set_up(organization)
        with database.write(organization) as session:
            for mapping in wanted:
                session.add(AgentMappingRow(organization_id=organization, **mapping))
    found = integrations.get("acme")
    assert found
    return found


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("email", ADDRESSES)
def test_the_statement_finds_whom_the_rules_find(
    database: Database, integration: Integration, extension: str, email: str
) -> None:
    agent = Agent(extension, email, "Some", "Body")
    rules = by_mapping(agent, partial(database.fetch, "acme"))
    reported = {"agent_email": email, "agent_name": "Some Body"}
    expected = {"agent_id": None, **reported, **agent_columns(rules, reported)}
    body = {
        "CallType": "Inbound",
        "Number": "+4930123456",
        "Agent": extension,
        "AgentEmail": email,
        "AgentFirstName": "Some",
        "AgentLastName": "Body",
        "CallStartTimeUTC": f"2026-11-22T08:{next(MINUTES) % 60:02}:00Z",
    }
    journal = Journal(database, SqlContactStore(database))
    with recorded(database) as statements:
        recorded_call = journal.record_call(integration, body)
    assert len(statements) == 1
    with database.read("acme") as session:
        row = session.execute(select(CallRow)).scalars().one()
        journaled = select(col(EventRow.raw_data)).where(col(EventRow.event_type) == "journal")
        event = session.execute(journaled).scalar_one()
    assert {name: getattr(row, name) for name in expected} == expected
    assert recorded_call.agent_id == expected["agent_id"]
    assert event["attributedBy"] == expected["attributed_by"]
    assert event["AgentFirstName"] == "Some"
