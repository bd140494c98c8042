"""Agent mappings from a table: what would change, and changing it."""

from collections.abc import Callable

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services import agent_tables
from callhelm_threecx.services.agent_tables import ChangedMapping, MappingPlan
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.audit import Actor
from callhelm_threecx.services.csv_tables import TableError, written_rows
from callhelm_threecx.services.events import EventFilter, EventLog, EventType

Plan = Callable[[str], MappingPlan]

TEAM = """\
Extension,AgentEmail,AgentFirstName,AgentLastName,AgentId
101,one@example.com,Olga,One,u1
102,new@example.com,,,u2
103,three@example.com,Tim,Three,u3
,nobody@example.com,,,
103,again@example.com,,,
"""


@pytest.fixture
def plan(agents: Agents) -> Plan:
    def made(text: str) -> MappingPlan:
        table = agent_tables.read_mappings("team.csv", text.encode())
        return agent_tables.plan(agents, "acme", table)

    return made


def test_a_plan_says_what_becomes_of_every_row(plan: Plan) -> None:
    planned = plan(TEAM)
    assert [mapping.extension for mapping in planned.unchanged] == ["101"]
    assert planned.changed == [
        ChangedMapping(
            NewMapping("102", "u2", "Two@Example.com"), NewMapping("102", "u2", "new@example.com")
        )
    ]
    assert [mapping.extension for mapping in planned.added] == ["103"]
    assert [(row.line, reason) for row, reason in planned.refused] == [
        (5, "has no Extension"),
        (6, "the extension 103 stands further up already"),
    ]


def test_a_plan_writes_nothing(plan: Plan, agents: Agents) -> None:
    before = [agent_tables.row_of(row) for row in agents.all("acme")]
    plan(TEAM)
    assert [agent_tables.row_of(row) for row in agents.all("acme")] == before


def test_a_plan_is_applied_and_then_has_nothing_left_to_do(plan: Plan, agents: Agents) -> None:
    agent_tables.apply(agents, "acme", plan(TEAM))
    mapped = {row.three_cx_extension: row.agent_email for row in agents.all("acme")}
    assert mapped == {
        "101": "one@example.com",
        "102": "new@example.com",
        "103": "three@example.com",
        "200": "shared@example.com",
        "201": "shared@example.com",
    }
    again = plan(TEAM)
    assert (list(again.added), list(again.changed), again.mapped) == ([], [], 3)


def test_the_event_log_says_who_changed_what(
    plan: Plan, agents: Agents, database: Database
) -> None:
    log = EventLog(database, "DE")
    wanted = EventFilter("acme", EventType.SETUP)
    before = len(log.page(wanted).events)
    agent_tables.apply(agents, "acme", plan(TEAM), by=Actor("admin key", origin="192.0.2.1"))
    newest = log.page(wanted).events[0].raw_data
    assert newest["extensions"] == ["103", "102"]
    assert (newest["by"], newest["origin"]) == ("admin key", "192.0.2.1")
    agent_tables.apply(agents, "acme", plan(TEAM))
    assert len(log.page(wanted).events) == before + 1


def test_what_is_exported_changes_nothing(plan: Plan, agents: Agents) -> None:
    rows = [agent_tables.row_of(row) for row in agents.all("acme")]
    planned = plan("".join(written_rows(agent_tables.COLUMNS, rows)))
    assert (planned.to_write, len(planned.unchanged)) == ([], 4)


def test_what_is_no_table_of_mappings_is_refused() -> None:
    with pytest.raises(TableError, match="names none of Extension"):
        agent_tables.read_mappings("team.csv", b"Name;Number\nAnna;1\n")


def test_a_table_of_far_too_many_rows_is_refused(plan: Plan) -> None:
    rows = "".join(f"{number}\n" for number in range(agent_tables.MAX_ROWS + 1))
    with pytest.raises(BadInputError, match="20001 rows"):
        plan("Extension\n" + rows)
