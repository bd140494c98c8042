"""What a ringing phone, a reported call and a search ask of a host's database: each statement.

As in `tests.http.test_path_plans`, with the host's own contacts, calls and members.
"""

from collections.abc import Iterator

import pytest

from callhelm_threecx.stores.callhelm.prepare import survey
from tests.callhelm.hosts import Host, new_host
from tests.client import Api
from tests.sent import Request, assert_bounded, call, chat, get, lookup, search
from tests.servers import PostgresSource

FILL = """
INSERT INTO three_cx_integrations (organization_id, id, organization_name, enabled, key_fingerprint,
    key_encrypted, key_hint, key_created_at, settings, created_at, updated_at)
SELECT gen_random_uuid(), gen_random_uuid(), '', true, md5('key' || i), '', '', now(), '{}', now(),
    now()
FROM generate_series(1, 2000) AS i;

INSERT INTO three_cx_calls (organization_id, id, fingerprint, call_type, direction, number, name,
    contact_id, agent_extension, agent_email, agent_name, queue_extension, happened_at, subject,
    recording_url, transcription, summary, sentiment, created_at)
SELECT %(organization)s, gen_random_uuid(), md5('call' || i), 'Inbound', 'Inbound', '', '', NULL,
    '', '', '', '', now() - i * interval '1 minute', '', '', '', '', '', now()
FROM generate_series(1, 20000) AS i;

INSERT INTO three_cx_agent_mappings (organization_id, id, three_cx_extension, agent_email,
    created_at, updated_at)
SELECT gen_random_uuid(), gen_random_uuid(), CAST(1000 + i AS text), '', now(), now()
FROM generate_series(1, 20000) AS i;

INSERT INTO profiles (id, email, full_name)
SELECT CAST(md5('profile' || i) AS uuid), 'agent' || i || '@example.com', 'Agent ' || i
FROM generate_series(1, 150000) AS i;

INSERT INTO organizations (id, name, slug)
SELECT CAST(md5('other' || i) AS uuid), 'Other', 'other-' || i FROM generate_series(1, 100) AS i;

INSERT INTO organization_members (organization_id, user_id, extension)
SELECT
    CASE WHEN i <= 200 THEN %(organization)s::uuid
    ELSE CAST(md5('other' || 1 + i %% 100) AS uuid) END,
    CAST(md5('profile' || i) AS uuid), CAST(1000 + i AS text)
FROM generate_series(1, 20000) AS i;

INSERT INTO contacts (id, organization_id, first_name, last_name, phone_number, email, company,
    updated_at)
SELECT CAST('00000000-0000-4000-8000-' || lpad(i::text, 12, '0') AS uuid),
    CASE WHEN i %% 10 > 0 THEN %(organization)s::uuid
    ELSE CAST(md5('other' || 1 + i %% 100) AS uuid) END,
    'First' || i %% 997, 'Last' || md5(i::text), '+4930' || 20000000 + i,
    'p' || i || '@example.com', 'Common GmbH',
    now() - (i * 7919 %% 1000003) * interval '1 second'
FROM generate_series(1, 40000) AS i;

INSERT INTO calls (organization_id, contact_id, direction, caller_number, called_number, start_time,
    status)
SELECT %(organization)s, CAST('00000000-0000-4000-8000-' || lpad(i::text, 12, '0') AS uuid),
    'inbound', '', '', now() - i * interval '1 minute', 'answered'
FROM generate_series(1, 40000) AS i;
"""
KNOWN, SOMEBODY = "+493020000007", "00000000-0000-4000-8000-000000000007"
MEMBERS = 200

OURS = "ix_three_cx_host_contacts_"
KEY = {
    "uq_three_cx_integrations_key_fingerprint",
    "uq_three_cx_integrations_previous_key_fingerprint",
}
NUMBER = {f"{OURS}number", f"{OURS}letters", f"{OURS}more_numbers"}
ADDRESS = {f"{OURS}email"}
ID = {"contacts_pkey"}
MEMBER = {"organization_members_organization_id_user_id_key", "profiles_pkey"} | {
    "organization_members_pkey",
    "uq_three_cx_agent_mappings_organization_id_three_cx_extension",
}
CALL = {"uq_three_cx_calls_organization_id_fingerprint", "pk_three_cx_calls"}
CHAT = {"uq_three_cx_chats_organization_id_fingerprint", "pk_three_cx_chats"}
WORDS = {f"{OURS}words", "idx_contacts_full_name"}
LATEST = {f"{OURS}recent"}

EVENT = {"three_cx_call_events"}
CALLED = EVENT | {"three_cx_calls", "calls"}
SEEN_AGAIN = EVENT | {"three_cx_calls"}
CHATTED = EVENT | {"three_cx_chats"}


@pytest.fixture(scope="module")
def busy(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Host, str, str]]:
    """A large host, the id of its largest organization, and its key."""
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        organization = host.organization("DE")
        host.own.execute("SET session_replication_role = replica")  # no look at each reference
        for statement in FILL.split(";")[:-1]:
            host.own.execute(statement.encode(), {"organization": organization.id})
        for index in survey(host.database, host.store.schema).lacking:
            host.own.execute(index.create.replace("CONCURRENTLY ", "").encode())
        api = Api.build(database_url=host.url, contact_store="callhelm")
        key = api.set_up(organization.id, auto_create_contacts=True)
        api.close()
        host.own.execute("VACUUM ANALYZE")
        yield host, organization.id, key


@pytest.fixture
def api(busy: tuple[Host, str, str]) -> Iterator[Api]:
    """An application that has just started, on the large host's database."""
    host, _, key = busy
    api = Api.build(database_url=host.url, contact_store="callhelm")
    api.org_keys["acme"] = key
    yield api
    api.close()


LOOKUPS = {
    "a number": Request(lookup(KNOWN), NUMBER, EVENT),
    "a national number": Request(lookup("030 20000007"), NUMBER, EVENT),
    "last digits": Request(lookup("20000007"), NUMBER, EVENT),
    "a number of nobody": Request(lookup("+493099999"), NUMBER, EVENT),
    "an address": Request(get("/contacts/lookup?email=p7@example.com"), ADDRESS, EVENT),
    "an id": Request(get(f"/contacts/lookup?id={SOMEBODY}"), ID, EVENT),
}


@pytest.mark.parametrize("what", LOOKUPS)
def test_a_lookup_goes_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, LOOKUPS[what], KEY)


TWICE = call(11, Number=KNOWN, Agent="1007")
STRANGER = {"Number": "+4930111111", "Name": "A Stranger"}
JOURNALS = {
    "a call": Request(
        call(10, Number=KNOWN, Agent="1007"), NUMBER | MEMBER | CALL, CALLED, rows=MEMBERS
    ),
    "a call reported again": Request(
        TWICE, NUMBER | MEMBER | CALL, SEEN_AGAIN, rows=MEMBERS, before=TWICE
    ),
    "a call of a known id": Request(call(12, EntityId=SOMEBODY), ID | CALL, CALLED),
    "a call of an agent known by address": Request(
        call(13, Number=KNOWN, AgentEmail="agent7@example.com"),
        NUMBER | MEMBER | CALL,
        CALLED,
        rows=MEMBERS,
        blocks=MEMBERS * 5,  # a profile is looked up for each member
    ),
    "a call of a stranger": Request(
        call(14, **STRANGER), NUMBER | CALL | ID | {f"{OURS}external_id"}, CALLED | {"contacts"}
    ),
    "a chat": Request(
        chat(10, Number=KNOWN, Agent="1007"), NUMBER | MEMBER | CHAT, CHATTED, rows=MEMBERS
    ),
}


@pytest.mark.parametrize("what", JOURNALS)
def test_a_report_is_journaled_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, JOURNALS[what], KEY)


HEX = "c4ca4238a0b9"  # in the surname of contact 1
SEARCHES = {
    "a name that everybody has": Request(search("gmbh"), WORDS | LATEST, EVENT, rows=2_000),
    "a rare name": Request(search(HEX), WORDS, EVENT),
    "a common and a rare word": Request(search(f"gmbh {HEX}"), WORDS, EVENT),
    "an address": Request(search("p77@example.com"), WORDS, EVENT, rows=200),
    "a number": Request(search("+49 30 20012345"), WORDS, EVENT, rows=500, blocks=1_000),
    "nobody": Request(search("sokratesx"), WORDS, EVENT),
}


@pytest.mark.parametrize("what", SEARCHES)
def test_a_search_goes_by_indexes(api: Api, what: str) -> None:
    assert_bounded(api, SEARCHES[what], KEY)
