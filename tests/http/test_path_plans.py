"""What a ringing phone, a reported call and a search ask of PostgreSQL: statement by statement.

The tables are as large as those of a busy machine, so that whatever reads one from end to end is
seen. Each statement that a request sends, of the key's check and the event log too, has to keep to
what the tables below allow (see `tests.sent`); one that goes by another index or changes another
table has to be entered here.
"""

from collections.abc import Iterator

import psycopg
import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url as parse_url
from tests.client import Api
from tests.sent import Request, assert_bounded, call, chat, create, get, lookup, search
from tests.servers import PostgresSource

FILL = """
INSERT INTO three_cx_integrations (organization_id, id, organization_name, enabled, key_fingerprint,
    key_encrypted, key_hint, key_created_at, settings, created_at, updated_at)
SELECT 'org-' || i, gen_random_uuid(), '', true, md5('key' || i), '', '', now(), '{}', now(), now()
FROM generate_series(1, %(organizations)s) AS i;

CREATE TEMPORARY TABLE people AS
SELECT i, CASE WHEN i %% 10 = 0 THEN 'org-' || i %% 2000 ELSE 'acme' END AS organization_id,
    CAST('00000000-0000-4000-8000-' || lpad(i::text, 12, '0') AS uuid) AS id,
    'First' || i %% 997 AS first_name, 'Last' || md5(i::text) AS last_name,
    'p' || i || '@example.com' AS email, '4930' || 20000000 + i AS digits
FROM generate_series(1, %(contacts)s) AS i;

INSERT INTO three_cx_contacts (organization_id, id, first_name, last_name, company, email,
    email_folded, identity, search_text, source, last_active_at, created_at, updated_at)
SELECT organization_id, id, first_name, last_name, 'Common GmbH',
    email, email, md5('same' || i),
    lower(first_name || ' ' || last_name) || ' common gmbh ' || CASE WHEN i %% 10 = 3
    THEN 'tenth ' ELSE '' END || email || ' ' || digits
    || ' 0' || substr(digits, 3) || ' ' || substr(digits, 3), 'test',
    now() - (i * 7919 %% 1000003) * interval '1 second', now(), now()
FROM people;

INSERT INTO three_cx_contact_phones (organization_id, id, contact_id, type, position, raw, number,
    extension, tail)
SELECT organization_id, gen_random_uuid(), id, 'phoneBusiness', 0, digits, '+' || digits, '',
    reverse(digits)
FROM people;

INSERT INTO three_cx_contacts (organization_id, id, first_name, last_name, company, email,
    search_text, source, last_active_at, created_at, updated_at)
SELECT 'globex', gen_random_uuid(), '', 'L', '', '', 'l' || md5(i::text), '',
    now() - i * interval '1 s', now(), now()
FROM generate_series(1, 60000) AS i;

INSERT INTO three_cx_agent_mappings (organization_id, id, three_cx_extension, agent_email,
    created_at, updated_at)
SELECT CASE WHEN i <= %(agents)s THEN 'acme' ELSE 'org-' || i %% 2000 END, gen_random_uuid(),
    CAST(1000 + i AS text), 'agent' || i || '@example.com', now(), now()
FROM generate_series(1, 20000) AS i;

INSERT INTO three_cx_calls (organization_id, id, fingerprint, call_type, direction, number, name,
    contact_id, agent_extension, agent_email, agent_name, queue_extension, happened_at, subject,
    recording_url, transcription, summary, sentiment, created_at)
SELECT 'acme', gen_random_uuid(), md5('call' || i), 'Inbound', 'Inbound', '', '', NULL, '', '', '',
    '', now() - i * interval '1 minute', '', '', '', '', '', now()
FROM generate_series(1, %(calls)s) AS i;

INSERT INTO three_cx_chats (organization_id, id, fingerprint, messages, number, email, name,
    agent_extension, agent_email, agent_name, queue_extension, happened_at, subject, created_at)
SELECT 'acme', gen_random_uuid(), md5('chat' || i), '', '', '', '', '', '', '', '',
    now() - i * interval '1 minute', '', now()
FROM generate_series(1, %(calls)s) AS i;

INSERT INTO three_cx_call_events (organization_id, id, event_type, status, raw_data, created_at)
SELECT 'acme', gen_random_uuid(), 'lookup', 'ok', '{}', now() - i * interval '1 minute'
FROM generate_series(1, %(calls)s) AS i;
"""
SIZES = {"organizations": 2_000, "contacts": 100_000, "calls": 50_000, "agents": 200}
SOMEBODY = "00000000-0000-4000-8000-000000000007"
KNOWN = "+493020000007"

KEY = {
    "uq_three_cx_integrations_key_fingerprint",
    "uq_three_cx_integrations_previous_key_fingerprint",
}
NUMBER = {"ix_three_cx_contact_phones_organization_id_tail"}
CONTACT = {"pk_three_cx_contacts", "ix_three_cx_contact_phones_contact_id"}
ADDRESS = {"ix_three_cx_contacts_organization_id_email_folded"}
IDENTITY = {"uq_three_cx_contacts_organization_id_identity"}
AGENT = {"uq_three_cx_agent_mappings_organization_id_three_cx_extension"}
CALL = {"uq_three_cx_calls_organization_id_fingerprint", "pk_three_cx_calls"}
CHAT = {"uq_three_cx_chats_organization_id_fingerprint", "pk_three_cx_chats"}
TRIGRAMS = {"ix_three_cx_contacts_search_text", "ix_three_cx_contact_phones_contact_id"}
LATEST = {
    "ix_three_cx_contacts_organization_id_last_active_at_id",
    "ix_three_cx_contact_phones_contact_id",
}

EVENT = {"three_cx_call_events"}
TOUCHED = {"three_cx_contacts"}
CREATED = {"three_cx_contacts", "three_cx_contact_phones"}
CALLED = EVENT | {"three_cx_calls"}
CHATTED = EVENT | {"three_cx_chats"}


@pytest.fixture(scope="module")
def busy(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The URL of a large database, and the key of its largest organization."""
    with PostgresSource(postgres_server).empty(tmp_path_factory.mktemp("busy")) as url:
        database = Database(parse_url(url))
        migrate.upgrade(database)
        database.dispose()
        with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as server:
            server.execute("SET session_replication_role = replica")  # no look at each reference
            server.execute(FILL.encode(), SIZES)
        api = Api.build(database_url=url)
        key = api.set_up("acme", auto_create_contacts=True)
        api.close()
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("VACUUM ANALYZE")
        yield url, key


@pytest.fixture
def api(busy: tuple[str, str]) -> Iterator[Api]:
    """An application that has just started, on the large database."""
    url, key = busy
    api = Api.build(database_url=url)
    api.org_keys["acme"] = key
    yield api
    api.close()


LOOKUPS = {
    "a number": Request(lookup(KNOWN), NUMBER | CONTACT, EVENT),
    "a national number": Request(lookup("030 20000007"), NUMBER | CONTACT, EVENT),
    "last digits": Request(lookup("20000007"), NUMBER | CONTACT, EVENT),
    "a number of nobody": Request(lookup("+493099999"), NUMBER | CONTACT, EVENT),
    "a withheld number": Request(lookup("anonymous"), set(), EVENT),
    "an address": Request(get("/contacts/lookup?email=p7@example.com"), ADDRESS | CONTACT, EVENT),
    "an id": Request(get(f"/contacts/lookup?id={SOMEBODY}"), CONTACT, EVENT),
}


@pytest.mark.parametrize("what", LOOKUPS)
def test_a_lookup_goes_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, LOOKUPS[what], KEY)


FOUND = NUMBER | CONTACT | AGENT
TWICE = call(11, Number=KNOWN, Agent="1007")
STRANGER = {"Number": "+4930111111", "Name": "A Stranger"}
STRANGER_TWICE = call(22, **STRANGER)
CALLS = {
    "of a known number": Request(
        call(10, Number=KNOWN, Agent="1007"), FOUND | CALL, CALLED | TOUCHED
    ),
    # The statement that records what is new names the contact's table, and changes no row of it.
    "reported again": Request(TWICE, FOUND | CALL, CALLED | TOUCHED, before=TWICE),
    "of a known id": Request(call(12, EntityId=SOMEBODY), CONTACT | CALL, CALLED | TOUCHED),
    "of an extension of nobody": Request(
        call(13, Number=KNOWN, Agent="9"), FOUND | CALL, CALLED | TOUCHED
    ),
    "of an agent known by address": Request(
        call(14, Number=KNOWN, AgentEmail="agent7@example.com"),
        FOUND | CALL,
        CALLED | TOUCHED,
        rows=SIZES["agents"],  # those of the organization are gone through
    ),
    "of the last digits of a known number": Request(
        call(15, Number="20000007"), FOUND | CALL, CALLED | TOUCHED
    ),
    "of a withheld number": Request(
        call(20, Number="anonymous"), {"pk_three_cx_contacts"} | CALL, CALLED | TOUCHED
    ),
    "of a stranger, who becomes a contact": Request(
        call(21, **STRANGER | {"Number": "+4930222222"}), FOUND | CALL, CALLED | CREATED
    ),
    "of a stranger, reported again": Request(
        STRANGER_TWICE, FOUND | CALL, CALLED | TOUCHED, before=STRANGER_TWICE
    ),
    "of a stranger who called before": Request(
        call(24, **STRANGER), FOUND | CALL, CALLED | TOUCHED, before=call(23, **STRANGER)
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_call_is_journaled_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, CALLS[what], KEY)


CHAT_TWICE = chat(11, Number=KNOWN, Agent="1007")
CHATS = {
    "of a known number": Request(
        chat(10, Number=KNOWN, Agent="1007"), FOUND | CHAT, CHATTED | TOUCHED
    ),
    "reported again": Request(CHAT_TWICE, FOUND | CHAT, CHATTED, before=CHAT_TWICE),
    "of a known address": Request(
        chat(12, Email="p17@example.com"), ADDRESS | CONTACT | CHAT, CHATTED | TOUCHED
    ),
    "of a stranger, who becomes a contact": Request(
        chat(13, Number="+4930333333"), FOUND | CHAT, CHATTED | CREATED
    ),
}


@pytest.mark.parametrize("what", CHATS)
def test_a_chat_is_journaled_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, CHATS[what], KEY)


AGAIN = create(Number="+4930555555")
CREATIONS = {
    "with a number": Request(create(Number="+4930444444"), NUMBER | CONTACT, EVENT | CREATED),
    "with a number, again": Request(AGAIN, NUMBER | CONTACT, EVENT, before=AGAIN),
    "without a number": Request(
        create(Email="new@example.org"), IDENTITY | CONTACT, EVENT | TOUCHED
    ),
}


@pytest.mark.parametrize("what", CREATIONS)
def test_a_contact_is_created_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, CREATIONS[what], KEY)


HEX = "c4ca4238a0b9"  # in the surname of contact 1
SEARCHES = {
    "a name that everybody has": Request(search("gmbh"), LATEST, EVENT),
    "a name that one in a thousand has": Request(
        search("first77"), LATEST | TRIGRAMS, EVENT, rows=1_500, blocks=2_500
    ),
    "a rare name": Request(search(HEX), TRIGRAMS, EVENT),
    "three characters": Request(search("c4c"), LATEST | TRIGRAMS, EVENT, rows=1_500, blocks=2_500),
    "a common and a rare word": Request(search(f"gmbh {HEX}"), TRIGRAMS, EVENT),
    "a company": Request(search("Common GmbH"), LATEST, EVENT),
    "an address": Request(search("p77@example.com"), TRIGRAMS, EVENT, rows=200),
    "a number": Request(search("+49 30 20012345"), TRIGRAMS, EVENT, rows=500, blocks=800),
    "last digits": Request(search("12345"), TRIGRAMS, EVENT, rows=500, blocks=800),
    "nobody": Request(search("sokratesx"), TRIGRAMS, EVENT),
    "nobody, at length": Request(search("sokrates " * 20), TRIGRAMS, EVENT),
    "two characters": Request(search("gm"), LATEST, EVENT),
}


@pytest.mark.parametrize("what", SEARCHES)
def test_a_search_goes_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, SEARCHES[what], KEY)
