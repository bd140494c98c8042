"""What cannot be adopted: each reason in a sentence, all at once, and nothing changed."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from callhelm_threecx import keys, migrate, schema_version
from callhelm_threecx.adoption import AdoptionError, SchemaRefusedError
from callhelm_threecx.keys import KeyRing
from tests.callhelm.adoption import earlier_integration
from tests.callhelm.adoption.earlier_integration import Earlier, ring

ROLE = "threecx_other_role"
SECRET = "3cx_" + "s3cret" * 11


@pytest.fixture
def earlier(template: Earlier, postgres_server: str) -> Earlier:
    """The earlier tables with two organizations, Acme and Umbra."""
    copy = earlier_integration.create(postgres_server, template.url)
    copy.integration("Acme", SECRET)
    copy.integration("Umbra", SECRET[:-1])
    return copy


def refusal(earlier: Earlier, secret_keys: KeyRing | None = None) -> tuple[str, ...]:
    """The contradictions for which an upgrade is refused; a dry run tells the same ones."""
    chosen = secret_keys or ring()
    database = earlier.database()
    planned = migrate.plan(database, chosen)
    with pytest.raises(AdoptionError) as caught:
        migrate.upgrade(database, chosen)
    assert schema_version.current(database) is None
    database.dispose()
    assert planned.adoption is not None
    assert planned.adoption.contradictions == caught.value.contradictions
    assert SECRET[:-1] not in caught.value.message
    return caught.value.contradictions


ANY_ID = "(SELECT organization_id FROM three_cx_integrations ORDER BY api_key LIMIT 1)"
CASES = {
    "two organizations with one key": (
        [
            "ALTER TABLE three_cx_integrations DROP CONSTRAINT three_cx_integrations_api_key_key",
            f"UPDATE three_cx_integrations SET api_key = '  {SECRET} '",
        ],
        r"Acme \(.+\) and Umbra \(.+\) have the same key|Umbra \(.+\) and Acme .+ the same key",
    ),
    "one organization twice": (
        [
            (
                "ALTER TABLE three_cx_integrations"
                " DROP CONSTRAINT three_cx_integrations_organization_id_key"
            ),
            (
                "INSERT INTO three_cx_integrations (organization_id, crm_url, api_key)"
                f" VALUES ({ANY_ID}, '', '3cx_third')"
            ),
        ],
        r"Umbra \(.+\) has 2 rows in three_cx_integrations",
    ),
    "one extension twice": (
        [
            (
                "ALTER TABLE three_cx_agent_mappings DROP CONSTRAINT"
                " three_cx_agent_mappings_organization_id_three_cx_extension_key"
            ),
            (
                "INSERT INTO three_cx_agent_mappings (organization_id, three_cx_extension)"
                f" VALUES ({ANY_ID}, '101'), ({ANY_ID}, '101')"
            ),
        ],
        r"Umbra \(.+\) has extension 101 2 times",
    ),
    "an integration of nobody": (
        [
            "ALTER TABLE three_cx_integrations ALTER organization_id DROP NOT NULL",
            "INSERT INTO three_cx_integrations (crm_url, api_key) VALUES ('', '3cx_nobodys')",
        ],
        "1 rows of three_cx_integrations have no organization",
    ),
    "a mapping of nobody": (
        [
            "ALTER TABLE three_cx_agent_mappings ALTER organization_id DROP NOT NULL",
            "INSERT INTO three_cx_agent_mappings (three_cx_extension) VALUES ('101')",
        ],
        "1 rows of three_cx_agent_mappings have no organization",
    ),
    "a mapping of no extension": (
        [
            "ALTER TABLE three_cx_agent_mappings ALTER three_cx_extension DROP NOT NULL",
            f"INSERT INTO three_cx_agent_mappings (organization_id) VALUES ({ANY_ID})",
        ],
        r"1 agent mappings of Umbra \(.+\) have no extension",
    ),
    "a key that no request can show": (
        [f"UPDATE three_cx_integrations SET api_key = repeat('k', 513) WHERE api_key = '{SECRET}'"],
        r"The key of Acme \(.+\) has 513 characters; a request may show 512",
    ),
    "an id of two rows": (
        [
            "ALTER TABLE three_cx_call_events DROP CONSTRAINT three_cx_call_events_pkey",
            (
                "INSERT INTO three_cx_call_events (id, organization_id, event_type) SELECT"
                " '0190b3a4-0000-7000-8000-000000000001',"
                f" {ANY_ID}, 'lookup' FROM generate_series(1, 2)"
            ),
        ],
        "1 rows of three_cx_call_events have no id, or that of another row",
    ),
    "a mapping table without its extension": (
        ["ALTER TABLE three_cx_agent_mappings DROP COLUMN three_cx_extension"],
        "There is a three_cx_agent_mappings already, without three_cx_extension",
    ),
    "an integration table without keys": (
        ["ALTER TABLE three_cx_integrations DROP COLUMN api_key"],
        "There is a three_cx_integrations already, without api_key",
    ),
    "a view of our name": (
        [
            "DROP TABLE three_cx_agent_mappings",
            "CREATE VIEW three_cx_agent_mappings AS SELECT 1 AS id",
        ],
        "There is a three_cx_agent_mappings already, and neither",
    ),
    "a table of our name that is nobody's": (
        ["CREATE TABLE three_cx_contacts (id integer)"],
        "There is a three_cx_contacts already, and neither",
    ),
    "events and mappings without integrations": (
        ["DROP TABLE three_cx_integrations"],
        "but no three_cx_integrations, and neither",
    ),
    "an instant that is text": (
        ["ALTER TABLE three_cx_call_events ALTER call_start_time TYPE text"],
        r"call_start_time is text, which cannot become timestamp with time zone",
    ),
    "a view on a column that has to change": (
        ["CREATE VIEW extensions AS SELECT three_cx_extension FROM three_cx_agent_mappings"],
        (
            r"three_cx_extension is character varying\(20\) and has to become text, but"
            r" .*extensions depends on it"
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_contradiction_is_named(earlier: Earlier, name: str) -> None:
    statements, sentence = CASES[name]
    earlier.run(*statements)
    told = refusal(earlier)
    assert len(told) == 1
    assert re.search(sentence, told[0]), told


def test_all_contradictions_are_told_at_once(earlier: Earlier) -> None:
    for name in ("two organizations with one key", "one extension twice", "a mapping of nobody"):
        earlier.run(*CASES[name][0])
    assert len(refusal(earlier)) == 3


def test_nothing_is_changed_by_a_refusal(earlier: Earlier) -> None:
    earlier.run(*CASES["a mapping of nobody"][0])
    refusal(earlier)
    assert earlier.is_as_before()
    assert sorted(earlier.keys().values()) == sorted([SECRET, SECRET[:-1]])


def test_without_secret_keys_nothing_is_adopted(earlier: Earlier) -> None:
    database = earlier.database()
    with pytest.raises(AdoptionError, match="THREECX_SECRET_KEYS: is not set"):
        migrate.upgrade(database)
    database.dispose()
    assert earlier.is_as_before()


def test_keys_under_secret_keys_that_are_gone_are_told(earlier: Earlier) -> None:
    database = earlier.database()
    migrate.upgrade(database, ring())
    migrate.downgrade(database, "base")
    database.dispose()
    told = refusal(earlier, KeyRing([keys.generate_secret_key()]))
    assert len(told) == 2
    assert all("is encrypted with a secret key that" in sentence for sentence in told)


@pytest.fixture
def other_role(earlier: Earlier) -> Iterator[Earlier]:
    """The database for a role that owns nothing and that policies apply to."""
    earlier.run(
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'",
        f"GRANT ALL ON SCHEMA public TO {ROLE}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}",
    )
    yield earlier.as_role(ROLE)
    earlier.run(f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


def test_a_role_that_policies_hide_rows_from_may_not_adopt(other_role: Earlier) -> None:
    told = " ".join(refusal(other_role))
    assert "three_cx_integrations belongs to the role" in told
    assert "Row-level security hides rows of three_cx_integrations from this role" in told


def test_an_owner_that_policies_are_forced_on_may_not_adopt(
    earlier: Earlier, other_role: Earlier
) -> None:
    names = ("three_cx_integrations", "three_cx_agent_mappings", "three_cx_call_events")
    earlier.run(*(f"ALTER TABLE {name} OWNER TO {ROLE}" for name in names))
    earlier.run("ALTER TABLE three_cx_integrations FORCE ROW LEVEL SECURITY")
    assert refusal(other_role) == (
        (
            "Row-level security hides rows of three_cx_integrations from this role: upgrade as its"
            " owner or as a role with BYPASSRLS."
        ),
    )


def test_an_owner_adopts_although_policies_are_on(earlier: Earlier, other_role: Earlier) -> None:
    names = ("three_cx_integrations", "three_cx_agent_mappings", "three_cx_call_events")
    earlier.run(*(f"ALTER TABLE {name} OWNER TO {ROLE}" for name in names))
    database = other_role.database()
    assert migrate.upgrade(database, ring()) is True
    database.dispose()


def test_tables_that_stay_in_use_are_not_waited_for_without_end(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callhelm_threecx.adoption.changes.LOCK_TIMEOUT_S", 1)
    database = earlier.database()
    with psycopg.connect(earlier.url) as user:
        user.execute("SELECT count(*) FROM three_cx_call_events")
        with pytest.raises(SchemaRefusedError, match="The tables were in use"):
            migrate.upgrade(database, ring())
    assert migrate.upgrade(database, ring()) is True
    database.dispose()
