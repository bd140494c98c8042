"""What becomes of the columns and rows of the earlier tables."""

from typing import Any

import pytest

from callhelm_threecx.db import Database
from tests.callhelm.adoption.earlier_integration import KEY, Earlier, adopt

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("NULL", {}),
    ("'null'", {}),
    ("'[]'", {}),
    ("""'{"call_journaling_enabled": "false"}'""", {"call_journaling_enabled": False}),
    ("""'{"auto_create_contacts": "TRUE", "a": 1}'""", {"auto_create_contacts": True, "a": 1}),
    ("""'{"contact_creation_enabled": 1}'""", {"contact_creation_enabled": True}),
    ("""'{"contact_creation_enabled": null}'""", {}),
    ("""'{"call_journaling_enabled": "perhaps"}'""", {}),
    ("""to_jsonb('{"auto_create_contacts": true}'::text)""", {"auto_create_contacts": True}),
]


@pytest.mark.parametrize(("stored", "kept"), SETTINGS)
def test_settings_become_an_object_with_booleans(
    earlier: Earlier, database: Database, stored: str, kept: dict[str, Any]
) -> None:
    organization = earlier.integration("Acme", KEY, settings=stored)
    adopt(database)
    assert earlier.integration_of(organization, "settings") == kept


def test_what_is_null_gets_what_the_earlier_integration_took_it_for(
    earlier: Earlier, database: Database
) -> None:
    nothing = dict.fromkeys(("enabled", "settings", "created_at", "updated_at"), "NULL")
    organization = earlier.integration("Acme", KEY, **nothing)
    earlier.run(
        "ALTER TABLE three_cx_call_events ALTER event_type DROP NOT NULL",
        "INSERT INTO three_cx_call_events (organization_id, raw_data, created_at, call_end_time)"
        f" VALUES ('{organization}', NULL, NULL, '2024-01-02 03:04+00'),"
        f" ('{organization}', 'null', '2024-01-02 03:04+00', NULL)",
        "INSERT INTO three_cx_agent_mappings"
        " (organization_id, three_cx_extension, created_at, updated_at)"
        f" VALUES ('{organization}', '101', NULL, NULL)",
    )
    adopt(database)
    assert earlier.integration_of(organization, "enabled") is False
    assert earlier.integration_of(organization, "updated_at = created_at") is True
    events = "SELECT event_type, status, raw_data, created_at = '2024-01-02 03:04+00'"
    expected: list[tuple[Any, ...]] = [("unknown", "ok", {}, True)] * 2
    assert earlier.rows(f"{events} FROM three_cx_call_events") == expected
    assert earlier.one("SELECT updated_at = created_at FROM three_cx_agent_mappings") is True


def test_timestamps_without_zone_are_read_as_utc(
    earlier: Earlier, database: Database, acme: str
) -> None:
    earlier.run(
        "ALTER TABLE three_cx_integrations ALTER created_at TYPE timestamp"
        " USING created_at AT TIME ZONE 'UTC'"
    )
    adopt(database)
    assert earlier.integration_of(acme, "created_at = '2024-05-06 07:08+00'") is True


def test_triggers_of_the_host_do_not_run_and_are_on_again(
    earlier: Earlier, database: Database
) -> None:
    acme = earlier.integration("Acme", KEY, updated_at="'2024-05-06 07:08+00'")
    adopt(database)
    assert earlier.integration_of(acme, "updated_at = '2024-05-06 07:08+00'") is True
    earlier.run("UPDATE three_cx_integrations SET crm_url = 'x'")
    assert earlier.integration_of(acme, "updated_at = '2024-05-06 07:08+00'") is False


def test_row_level_security_stays_and_guards_every_new_table(
    earlier: Earlier, database: Database, acme: str
) -> None:
    adopt(database)
    open_tables = (
        "SELECT relname FROM pg_class WHERE relname LIKE 'three\\_cx\\_%' AND relkind = 'r'"
        " AND NOT relrowsecurity"
    )
    assert earlier.rows(open_tables) == []
    policies = "SELECT tablename FROM pg_policies ORDER BY 1"
    names = ["three_cx_agent_mappings", "three_cx_call_events", "three_cx_integrations"]
    assert [table for (table,) in earlier.rows(policies)] == names


def test_without_row_level_security_none_is_put_on(
    earlier: Earlier, database: Database, acme: str
) -> None:
    earlier.run("ALTER TABLE three_cx_integrations DISABLE ROW LEVEL SECURITY")
    assert adopt(database).row_level_security is False
    guarded = (
        "SELECT relname FROM pg_class WHERE relname IN ('three_cx_contacts', 'three_cx_calls',"
        " 'three_cx_alembic_version') AND relrowsecurity"
    )
    assert earlier.rows(guarded) == []
