"""Keys of the earlier integration: encrypted, still valid, and nowhere in clear."""

import json

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.services.integrations import Integrations
from tests.callhelm.adoption import earlier_integration
from tests.callhelm.adoption.earlier_integration import KEY, Earlier, adopt, opens, ring

OTHER_KEY = "k/ey+of the=second%one\"'\\"


def test_a_key_is_encrypted_for_its_organization(
    earlier: Earlier, database: Database, acme: str
) -> None:
    assert adopt(database).keys == 1
    assert opens(database, KEY) == acme
    assert Integrations(database, ring(), "US").clear_key(acme) == KEY
    assert earlier.integration_of(acme, "key_hint") == "3cx_…abcd"
    assert earlier.integration_of(acme, "key_created_at = created_at") is True
    assert earlier.integration_of(acme, "organization_name") == "Acme"


@pytest.mark.parametrize(
    ("stored", "shown", "hint"),
    [
        (OTHER_KEY, OTHER_KEY, "…e\"'\\"),
        (f"  {KEY} \t", KEY, "3cx_…abcd"),
        ("short1", "short1", "…"),
        ("k" * 512, "k" * 512, "…kkkk"),
        ("clé-über-ключ-0123", "clé-über-ключ-0123", "…0123"),
    ],
)
def test_a_key_may_have_any_shape(
    earlier: Earlier, database: Database, *, stored: str, shown: str, hint: str
) -> None:
    organization = earlier.integration("Acme", stored)
    adopt(database)
    assert opens(database, shown) == organization
    assert earlier.integration_of(organization, "key_hint") == hint


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_a_row_without_a_key_gets_one_that_nobody_knows(
    earlier: Earlier, database: Database, nothing: str | None
) -> None:
    earlier.run("ALTER TABLE three_cx_integrations ALTER api_key DROP NOT NULL")
    organization = earlier.integration("Acme", nothing)
    report = adopt(database)
    assert (report.keys, report.new_keys) == (0, 1)
    fresh = Integrations(database, ring(), "US").clear_key(organization)
    assert len(fresh) > 40
    assert opens(database, fresh) == organization


def test_no_key_is_left_in_a_column_or_a_file_or_the_dump(
    earlier: Earlier, database: Database, acme: str
) -> None:
    second = earlier.integration("Umbra", OTHER_KEY)
    url = "https://app.example.com/?apiKey="
    quoted = "k%2Fey%2Bof%20the%3Dsecond%25one%22%27%5C"
    raw = {"deep": [{"url": f"{url}{KEY}&x=1"}, OTHER_KEY], KEY: 1, "n": 1.50, "text": "stays"}
    earlier.run(
        f"UPDATE three_cx_integrations SET crm_url = '{url}{quoted}', settings ="
        f""" '{{"k": "{KEY}"}}'""",
        "ALTER TABLE three_cx_call_events ADD note text, ADD document json",
        "INSERT INTO three_cx_call_events"
        " (organization_id, event_type, raw_data, note, document, phone_number) VALUES"
        f" ('{acme}', 'lookup', '{json.dumps(raw).replace(chr(39), chr(39) * 2)}',"
        f""" '{KEY} {KEY}', '{{"url": "{url}{KEY}"}}', '+14155552671')""",
        "INSERT INTO three_cx_agent_mappings (organization_id, three_cx_extension, agent_email)"
        f" VALUES ('{second}', '101', 'a+{KEY}@example.com')",
        "ANALYZE",
    )
    assert KEY in earlier_integration.dump(earlier)
    forms = [KEY, "of the=second", quoted]
    assert earlier_integration.in_files(earlier, forms)
    assert adopt(database).copies == 4
    dump = earlier_integration.dump(earlier)
    assert [form for form in forms if form in dump] == []
    assert earlier_integration.in_files(earlier, forms) == []
    kept = earlier.rows("SELECT raw_data, note, document, phone_number FROM three_cx_call_events")
    hint, other = "3cx_…abcd", "…e\"'\\"
    assert kept == [
        (
            {"deep": [{"url": f"{url}{hint}&x=1"}, other], hint: 1, "n": 1.50, "text": "stays"},
            f"{hint} {hint}",
            {"url": f"{url}{hint}"},
            "+14155552671",
        )
    ]
    assert earlier.integration_of(acme, "crm_url") == f"{url}{other}"


def test_keys_go_although_a_policy_and_a_view_depend_on_their_column(
    earlier: Earlier, database: Database, acme: str
) -> None:
    earlier.run(
        "CREATE POLICY by_key ON three_cx_integrations FOR SELECT"
        " USING (api_key = current_setting('app.key', true))",
        "CREATE VIEW integration_keys AS SELECT organization_id, api_key FROM"
        " three_cx_integrations",
        "ANALYZE three_cx_integrations",
    )
    adopt(database)
    assert opens(database, KEY) == acme
    assert KEY not in earlier_integration.dump(earlier)
    assert earlier_integration.in_files(earlier, [KEY]) == []
    assert earlier.rows("SELECT api_key FROM integration_keys") == [(None,)]


def test_a_key_that_the_database_makes_by_itself_is_made_no_more(
    earlier: Earlier, database: Database, acme: str
) -> None:
    earlier.run("ALTER TABLE three_cx_integrations ALTER api_key SET DEFAULT gen_random_uuid()")
    adopt(database)
    later = earlier.organization("Later")
    Integrations(database, ring(), "US").set_up(later)
    assert earlier.integration_of(later, "api_key") is None
