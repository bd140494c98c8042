"""Adopted tables in use: variants of them, the whole product, interruption, the way back."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.services.integrations import Integrations
from tests.callhelm.adoption import earlier_integration
from tests.callhelm.adoption.earlier_integration import KEY, Earlier, adopt, opens, ring
from tests.client import ADMIN_KEY, Api

VARIANTS = {
    "columns that came later are missing": (
        (
            "ALTER TABLE three_cx_integrations DROP enabled, DROP settings,"
            " DROP three_cx_server_url,"
            " DROP created_at, DROP updated_at"
        ),
        (
            "ALTER TABLE three_cx_agent_mappings DROP agent_id, DROP agent_email, DROP created_at,"
            " DROP updated_at"
        ),
        "ALTER TABLE three_cx_call_events DROP raw_data, DROP call_id, DROP contact_id",
    ),
    "switches and kinds are of other types": (
        (
            "ALTER TABLE three_cx_integrations ALTER enabled DROP DEFAULT,"
            " ALTER enabled TYPE text USING enabled::text, ALTER enabled SET DEFAULT 'yes',"
            " ALTER settings TYPE json,"
            " ALTER created_at TYPE timestamp"
        ),
        "CREATE TYPE kind AS ENUM ('lookup', 'journal')",
        "ALTER TABLE three_cx_call_events DROP CONSTRAINT three_cx_call_events_event_type_check",
        (
            "ALTER TABLE three_cx_call_events ALTER event_type TYPE kind USING event_type::kind,"
            " ALTER call_start_time TYPE timestamp, ALTER duration_seconds TYPE numeric,"
            " ALTER phone_number TYPE varchar(20)"
        ),
    ),
    "ids of organizations are text": (
        "DROP POLICY members_see ON three_cx_integrations",
        "DROP POLICY members_see ON three_cx_agent_mappings",
        "DROP POLICY members_see ON three_cx_call_events",
        *(
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey,"
            " ALTER organization_id TYPE varchar(36)"
            for table in (
                "three_cx_integrations",
                "three_cx_agent_mappings",
                "three_cx_call_events",
            )
        ),
    ),
    "keys and constraints are not there": (
        (
            "ALTER TABLE three_cx_integrations DROP CONSTRAINT three_cx_integrations_pkey,"
            " DROP CONSTRAINT three_cx_integrations_organization_id_key"
        ),
        "ALTER TABLE three_cx_call_events DROP CONSTRAINT three_cx_call_events_pkey",
        (
            "ALTER TABLE three_cx_agent_mappings DROP CONSTRAINT"
            " three_cx_agent_mappings_organization_id_three_cx_extension_key"
        ),
    ),
    "more columns must be filled": (
        (
            "ALTER TABLE three_cx_call_events ADD source text NOT NULL,"
            " ALTER phone_number SET NOT NULL"
        ),
        (
            "ALTER TABLE three_cx_agent_mappings ADD team uuid NOT NULL,"
            " ALTER agent_email SET NOT NULL"
        ),
    ),
    "only integrations are there": ("DROP TABLE three_cx_call_events, three_cx_agent_mappings",),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_the_tables_is_adopted_and_used(
    earlier: Earlier, database: Database, name: str
) -> None:
    earlier.run(*VARIANTS[name])
    organization = earlier.integration("Acme", KEY)
    adopt(database)
    assert migrate.differences(database) == []
    api = Api.build(database_url=earlier.url)
    assert api.get("/contacts/lookup?number=%2B14155552671", key=KEY).json["success"] is True
    agent = {"organizationId": organization, "extension": "1" * 20, "agentId": ""}
    assert api.post("/agents", agent, key=ADMIN_KEY).status_int in {200, 201}
    assert api.post("/setup", {"organizationId": organization}, key=ADMIN_KEY).json["success"]
    assert {e["type"] for e in api.events(key=ADMIN_KEY)} == {"lookup", "setup"}
    assert api.get("/stats", key=ADMIN_KEY).json["total_events"] == 3
    api.close()


def test_a_dry_run_says_the_same_and_changes_nothing(
    earlier: Earlier, database: Database, acme: str
) -> None:
    earlier.run(f"UPDATE three_cx_integrations SET crm_url = 'https://a.example/{KEY}'")
    planned = migrate.plan(database, ring())
    assert earlier.is_as_before()
    assert earlier.integration_of(acme, "api_key") == KEY
    assert planned.adoption == adopt(database)


def test_cut_off_at_any_statement_it_leaves_the_database_as_it_was(
    earlier: Earlier, acme: str
) -> None:
    statements = 0
    cut_at = 0

    def count(connection: Any, *_: Any) -> None:
        nonlocal statements
        statements += 1
        if statements == cut_at:
            own = connection.connection.driver_connection.info.backend_pid
            earlier.run(f"SELECT pg_terminate_backend({own})")

    database = earlier.database()
    for cut_at in (3, 12, 25, 38, 50, 62, 75, 90):  # noqa: B007 - the listener reads it
        statements = 0
        event.listen(database.engine, "before_cursor_execute", count)
        with pytest.raises(StorageUnavailableError):
            migrate.upgrade(database, ring())
        event.remove(database.engine, "before_cursor_execute", count)
        earlier.wait_for_migrations()
        assert earlier.is_as_before()
        assert earlier.integration_of(acme, "api_key") == KEY
    assert statements == cut_at, "there were fewer statements than that"
    assert migrate.upgrade(database, ring()) is True
    assert opens(database, KEY) == acme
    database.dispose()


def test_a_downgrade_keeps_rows_and_writes_no_key(
    earlier: Earlier, database: Database, acme: str
) -> None:
    earlier.run(
        "INSERT INTO three_cx_agent_mappings (organization_id, three_cx_extension)"
        f" VALUES ('{acme}', '101')"
    )
    adopt(database)
    new = earlier.organization("New")
    new_key = Integrations(database, ring(), "US").set_up(new)[1]
    migrate.downgrade(database, "base")
    tables = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'three\\_cx\\_%' ORDER BY 1"
    assert [table for (table,) in earlier.rows(tables)] == [
        "three_cx_agent_mappings",
        "three_cx_alembic_version",
        "three_cx_call_events",
        "three_cx_integrations",
    ]
    assert earlier.one("SELECT count(api_key) FROM three_cx_integrations") == 0
    dump = earlier_integration.dump(earlier)
    assert KEY not in dump
    assert new_key not in dump
    # The earlier integration can write again, and give keys.
    later = earlier.integration("Later", "3cx_later_" + "0" * 40)
    earlier.run(
        f"UPDATE three_cx_integrations SET api_key='3cx_renewed' WHERE id IN (SELECT id"
        f" FROM three_cx_integrations WHERE organization_id = '{new}')"
    )
    earlier.run(
        f"INSERT INTO three_cx_call_events (organization_id, event_type) VALUES"
        f" ('{later}', 'lookup')"
    )
    report = adopt(database)
    assert (report.keys, report.kept_keys, report.new_keys) == (2, 1, 0)
    assert (report.mappings, report.columns_added) == (1, ())
    assert opens(database, KEY) == acme
    assert opens(database, "3cx_later_" + "0" * 40) == later
    assert opens(database, "3cx_renewed") == new
    assert opens(database, new_key) is None
    assert migrate.differences(database) == []


def test_the_whole_product_works_on_adopted_tables(earlier: Earlier, acme: str) -> None:
    database = earlier.database()
    adopt(database)
    database.dispose()
    api = Api.build(database_url=earlier.url)
    new = earlier.organization("New")
    api.org_keys["new"] = api.post("/setup", {"organizationId": new}, key=ADMIN_KEY).json["apiKey"]
    member = _member(earlier, new)
    agent = {"organizationId": new, "extension": "101", "agentId": member}
    for _ in range(2):
        assert api.post("/agents", agent, key=ADMIN_KEY).json["mapping"]["agentId"] == member
    for key in (KEY, api.key("new")):
        contact = api.post(
            "/contacts/create", {"FirstName": "Anna", "Number": "+14155552671"}, key=key
        ).json
        call = {
            "CallType": "Notanswered",
            "Number": "+14155552671",
            "Agent": "101",
            "EntityId": contact["id"],
            "Duration": "00:00:05",
        }
        assert api.post("/calls/journal", call, key=key, status=201).json["success"] is True
        chat = {"ChatMessages": "Hello", "Number": "+14155552671", "Agent": "101"}
        assert api.post("/chats/journal", chat, key=key, status=201).json["success"] is True
        found = api.get("/contacts/lookup?number=%2B14155552671", key=key).json["contacts"]
        assert [each["firstName"] for each in found] == ["Anna"]
        assert api.get("/template", key=key).status_int == 200
    api.get("/contacts/search?query=Anna", key="3cx_nobodys", status=401)
    types = {each["type"] for each in api.events("limit=200", key=ADMIN_KEY)}
    assert types == {
        *("setup", "create_contact", "journal", "chat", "lookup", "template", "refused")
    }
    assert api.get("/stats", key=KEY).json["journals"] == 1
    assert api.get("/stats", key=ADMIN_KEY).json["chats"] == 2
    api.close()


def _member(earlier: Earlier, organization: str) -> str:
    profile = earlier.one(
        f"INSERT INTO profiles (email) VALUES ('{uuid.uuid4()}@example.com') RETURNING id"
    )
    return str(
        earlier.one(
            "INSERT INTO organization_members (organization_id, user_id)"
            f" VALUES ('{organization}', '{profile}') RETURNING id"
        )
    )


@pytest.mark.parametrize("organization", ["not-a-uuid", "74b60c78-5426-4e9d-8054-0d14ed71ae4a"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/setup"),
        ("GET", "/setup"),
        ("POST", "/agents"),
        ("GET", "/agents"),
        ("GET", "/events"),
        ("GET", "/stats"),
    ],
)
def test_an_organization_that_cannot_be_here_is_no_fault_of_ours(
    shared_api: Api, organization: str, method: str, path: str
) -> None:
    body = {"organizationId": organization, "extension": "101"} if method == "POST" else None
    query = "" if body else f"?organizationId={organization}"
    answer = shared_api.call(method, path + query, body, key=ADMIN_KEY, status="*")
    assert answer.status_int < 500
    if method == "POST":
        assert answer.status_int >= 400


@pytest.fixture(scope="module")
def shared_api(template: Earlier, postgres_server: str) -> Iterator[Api]:
    copy = earlier_integration.create(postgres_server, template.url)
    copy.integration("Acme", KEY)
    database = copy.database()
    adopt(database)
    database.dispose()
    api = Api.build(database_url=copy.url)
    yield api
    api.close()
