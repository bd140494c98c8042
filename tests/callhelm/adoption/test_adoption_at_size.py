"""Adoption of 1,000 organizations, 10,000 mappings and 200,000 events, whole or not at all."""

import random
import re
import subprocess
import sys
import time

import pytest

from callhelm_threecx import migrate, schema_version
from callhelm_threecx.adoption import Report
from callhelm_threecx.services.integrations import Integrations, KeyState
from tests.callhelm.adoption import earlier_integration
from tests.callhelm.adoption.earlier_integration import Earlier, ring
from tests.client import SECRET_KEY, Api

KEYS = "three_cx_integrations"
ORGANIZATIONS, MAPPINGS, EVENTS = 1000, 10_000, 200_000
UPGRADE = """
import sys
from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.settings import database_url
database = Database(database_url(sys.argv[1]))
ring = KeyRing([sys.argv[2]])
print("begins", flush=True)
migrate.upgrade(database, ring)
"""
SECRET_PART = re.compile(r"[0-9a-f]{32,}")
# What must not change, row by row; a copy of a key in raw data may.
UNCHANGED = {
    "three_cx_integrations": "id, organization_id, enabled, three_cx_server_url, created_at,"
    " updated_at",
    "three_cx_agent_mappings": "id, organization_id, three_cx_extension, agent_id, agent_email,"
    " agent_first_name, agent_last_name, created_at, updated_at",
    "three_cx_call_events": "id, organization_id, call_id, event_type, phone_number, contact_id,"
    " agent_extension, call_direction, call_type, duration_seconds, call_start_time,"
    " call_end_time, created_at, CASE WHEN raw_data ? 'url' THEN NULL"
    " ELSE coalesce(raw_data, '{}') END",
}


def content(earlier: Earlier) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a digest of what must not change in them."""
    digest = "count(*), md5(string_agg(md5(row::text), '' ORDER BY row::text))"
    query = "SELECT {digest} FROM (SELECT ROW({columns}) AS row FROM {table}) r"
    return {
        table: earlier.rows(query.format(digest=digest, columns=columns, table=table))[0]
        for table, columns in UNCHANGED.items()
    }


@pytest.fixture(scope="module")
def populated(postgres_server: str) -> Earlier:
    """The database as the earlier integration left it. Nobody changes it."""
    earlier = earlier_integration.create(postgres_server)
    earlier_integration.populate(
        earlier, ORGANIZATIONS, MAPPINGS // ORGANIZATIONS, EVENTS // ORGANIZATIONS
    )
    return earlier


@pytest.fixture(scope="module")
def before(populated: Earlier) -> dict[str, tuple[int, str]]:
    return content(populated)


@pytest.fixture(scope="module")
def keys(populated: Earlier) -> dict[str, str]:
    return populated.keys()


@pytest.fixture(scope="module")
def adoption(populated: Earlier, postgres_server: str) -> tuple[Earlier, Report, float]:
    """A copy that was adopted, what was reported, and the seconds that it took."""
    copy = earlier_integration.create(postgres_server, populated.url)
    database = copy.database()
    begun = time.monotonic()
    outcome = migrate.upgrade_telling(database, ring())
    seconds = time.monotonic() - begun
    database.dispose()
    assert outcome.adoption is not None
    return copy, outcome.adoption, seconds


@pytest.fixture(scope="module")
def adopted(adoption: tuple[Earlier, Report, float]) -> Earlier:
    return adoption[0]


def test_the_report_counts_what_was_there(adoption: tuple[Earlier, Report, float]) -> None:
    report = adoption[1]
    assert (report.keys, report.mappings, report.events) == (ORGANIZATIONS, MAPPINGS, EVENTS)
    assert (report.new_keys, report.kept_keys, report.contradictions) == (0, 0, ())
    assert report.copies > EVENTS // 50


def test_every_old_key_opens_its_organization(adopted: Earlier, keys: dict[str, str]) -> None:
    assert len(keys) == ORGANIZATIONS
    database = adopted.database()
    integrations = Integrations(database, ring(), "US")
    for organization, key in keys.items():
        state, integration = integrations.authenticate(key)
        assert state in {KeyState.VALID, KeyState.DISABLED}
        assert integration is not None
        assert integration.organization_id == organization
    for organization in [*keys][::50]:
        assert integrations.clear_key(organization) == keys[organization]
    database.dispose()


def test_ids_mappings_and_events_are_the_same(
    adopted: Earlier, before: dict[str, tuple[int, str]]
) -> None:
    assert [rows for rows, _ in before.values()] == [ORGANIZATIONS, MAPPINGS, EVENTS]
    assert content(adopted) == before


def test_no_key_stands_in_a_dump(
    populated: Earlier, adopted: Earlier, keys: dict[str, str]
) -> None:
    secrets = {part for key in keys.values() for part in SECRET_PART.findall(key)}
    assert len(secrets) == ORGANIZATIONS
    assert secrets <= set(SECRET_PART.findall(earlier_integration.dump(populated, KEYS)))
    assert secrets.isdisjoint(SECRET_PART.findall(earlier_integration.dump(adopted)))


def test_no_key_stands_in_the_servers_statistics(adopted: Earlier, keys: dict[str, str]) -> None:
    columns = "most_common_vals::text || ' ' || histogram_bounds::text"
    texts = adopted.rows(f"SELECT coalesce({columns}, '') FROM pg_stats WHERE schemaname='public'")
    found = {part for (text,) in texts for part in SECRET_PART.findall(text)}
    assert found.isdisjoint(part for key in keys.values() for part in SECRET_PART.findall(key))


def test_old_keys_are_accepted_over_http(adopted: Earlier, keys: dict[str, str]) -> None:
    api = Api.build(database_url=adopted.url)
    for organization in [*keys][:: ORGANIZATIONS // 8]:
        enabled = adopted.one(
            f"SELECT enabled FROM three_cx_integrations WHERE organization_id = '{organization}'"
        )
        answer = api.get("/events?limit=1", key=keys[organization], status=200 if enabled else 403)
        assert answer.json["success"] is enabled
    api.close()


def test_the_drift_check_finds_nothing(adopted: Earlier) -> None:
    database = adopted.database()
    assert migrate.differences(database) == []
    assert migrate.upgrade(database) is False
    database.dispose()


def test_killed_anywhere_it_leaves_the_database_as_it_was(
    populated: Earlier,
    adoption: tuple[Earlier, Report, float],
    before: dict[str, tuple[int, str]],
    postgres_server: str,
) -> None:
    """One copy is killed at several moments, drawn anew in each run and shown when it fails; the
    repeat then does everything. Who is killed late may have committed: whole, then, or not at all.
    """
    copy = earlier_integration.create(postgres_server, populated.url)
    moments = [0.3, *(random.uniform(0, 0.9) for _ in range(2)), 0.9]
    database = copy.database()
    for times, moment in enumerate(moments):
        command = [sys.executable, "-c", UPGRADE, copy.url, SECRET_KEY]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
            try:
                process.wait(moment * adoption[2])
            except subprocess.TimeoutExpired:
                process.kill()
        copy.wait_for_migrations()
        if schema_version.current(database) == schema_version.HEAD:
            assert times > 0, "nothing was interrupted"
            break
        assert copy.is_as_before(), moments
    migrate.upgrade(database, ring())
    assert schema_version.current(database) == schema_version.HEAD
    assert migrate.differences(database) == []
    database.dispose()
    assert content(copy) == before
