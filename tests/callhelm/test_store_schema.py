"""The store takes a host's tables as they are, says what is missing, and stays behind the wall."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, exists, func, insert, literal, select, union_all, update
from sqlalchemy.orm import Session, aliased

from callhelm_threecx.confinement import (
    CrossOrganizationError,
    PreparedRead,
    insert_host_rows,
    lock_until_commit,
)
from callhelm_threecx.db import Database
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.settings import database_url
from callhelm_threecx.stores.base import NewContact, Phone, StoreOptions, StoreUnavailableError
from callhelm_threecx.stores.callhelm import CallHelmStore
from callhelm_threecx.stores.callhelm.schema import HostTables
from tests.callhelm.hosts import Host, new_host
from tests.servers import PostgresSource, free_port


@pytest.fixture(scope="module")
def host(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as made:
        yield made


# What a host has

MISSING = {
    "DROP TABLE calls": "needs the table calls, which is not there",
    "DROP TABLE profiles CASCADE": "needs the table profiles, which is not there",
    "ALTER TABLE contacts DROP phone_number": "needs contacts.phone_number, which is not there",
    "ALTER TABLE calls DROP status": "needs calls.status, which is not there",
    "ALTER TABLE contacts ALTER phone_number TYPE bigint USING 0": (
        "needs contacts.phone_number to be text, and it is int8"
    ),
    "ALTER TABLE contacts ADD tenant text NOT NULL": (
        "cannot fill contacts.tenant, which must not be null and has no default"
    ),
    "ALTER TABLE contacts ALTER created_by SET NOT NULL": (
        "cannot fill contacts.created_by, which must not be null and has no default"
    ),
}


@pytest.mark.parametrize("change", MISSING)
def test_what_is_missing_is_named_in_one_sentence(
    host_databases: PostgresSource, tmp_path: Path, change: str
) -> None:
    with new_host(host_databases, tmp_path, f"\n{change};") as host:
        for ask in (host.store.check, lambda: CallHelmStore.from_options(_options(host))):
            with pytest.raises(SettingsError) as caught:
                ask()
            sentence = f"THREECX_CONTACT_STORE: the callhelm store {MISSING[change]}."
            assert caught.value.message == sentence
        with pytest.raises(StoreUnavailableError):
            host.store.health()


def _options(host: Host, **options: Any) -> StoreOptions:
    return StoreOptions(options, database=host.database)


HARMLESS = {
    "fewer columns": (
        "ALTER TABLE contacts DROP email, DROP company, DROP metadata, DROP status,"
        " DROP updated_at, DROP created_at, DROP full_name;"
        " ALTER TABLE organization_members DROP three_cx_extension, DROP is_active;"
        " ALTER TABLE calls DROP contact_id, DROP metadata"
    ),
    "more columns": (
        "ALTER TABLE contacts ADD score int, ADD tier text NOT NULL DEFAULT 'a',"
        " ADD serial bigint GENERATED ALWAYS AS IDENTITY"
    ),
    "other types": (
        "ALTER TABLE contacts ALTER email TYPE text, ALTER metadata TYPE json,"
        " ALTER metadata SET DEFAULT '{}', ALTER updated_at TYPE timestamp"
    ),
    "columns that must not be null": (
        "ALTER TABLE contacts ALTER last_name SET NOT NULL, ALTER company SET NOT NULL,"
        " ALTER created_at DROP DEFAULT"
    ),
    "domains": (
        "CREATE DOMAIN short AS varchar(60) NOT NULL;"
        " ALTER TABLE contacts ALTER phone_number TYPE short"
    ),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_every_deployment_is_worked_with_as_it_is(
    host_databases: PostgresSource, tmp_path: Path, change: str
) -> None:
    with new_host(host_databases, tmp_path, f"\n{HARMLESS[change]};") as host:
        organization = host.organization("DE")
        new = NewContact("Anna", phones=(Phone("030 123456"), Phone("0171 2345678")))
        anna, is_new = host.store.create(organization, new)
        assert is_new
        assert host.store.create(organization, new) == (anna, False)
        assert host.store.find_by_number(organization, "+4930123456")[0].contact == anna
        assert host.store.search(organization, "ANNA") == [anna]
        assert host.store.search(organization, "30123") == [anna]
        assert host.store.get(organization, anna.id) == anna
        host.store.find_by_email(organization, "anna@example.com")
        assert host.store.import_batch(organization, [new]).unchanged == 1
        assert list(host.store.export(organization)) == [anna]
        assert list(host.store.members(organization)) == []


def test_the_tables_may_stand_in_a_schema_of_their_own(
    host_databases: PostgresSource, tmp_path: Path
) -> None:
    moved = "".join(
        f"ALTER TABLE {table} SET SCHEMA crm;"
        for table in ("organizations", "profiles", "organization_members", "contacts", "calls")
    )
    with new_host(host_databases, tmp_path) as host:
        organization = host.organization("DE")
        contact_id = host.contact(organization, "030 123456", first_name="Anna")
        host.own.execute(f"CREATE SCHEMA crm; {moved}".encode())
        with pytest.raises(SettingsError, match="the table organizations, which is not there"):
            CallHelmStore.from_options(_options(host))
        store = CallHelmStore.from_options(_options(host, schema="crm"))
        assert store.find_by_number(organization, "030123456")[0].contact.id == contact_id
        assert store.search(organization, "anna")[0].id == contact_id
        _, is_new = store.create(organization, NewContact("Berta"))
        assert is_new


@pytest.mark.parametrize("options", [{"colour": "red"}, {"schema": ""}, {"schema": 1}])
def test_wrong_options_stop_the_start(host: Host, options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="THREECX_CONTACT_STORE_OPTIONS"):
        CallHelmStore.from_options(_options(host, **options))


def test_another_database_than_postgresql_is_refused(tmp_path: Path) -> None:
    database = Database(database_url(f"sqlite:///{tmp_path / 'x.db'}"))
    with pytest.raises(SettingsError, match="PostgreSQL only"):
        CallHelmStore.from_options(StoreOptions(database=database))
    database.dispose()


def test_a_database_that_is_away_at_the_start_is_asked_again_later() -> None:
    database = Database(database_url(f"postgresql://me@127.0.0.1:{free_port()}/none"))
    store = CallHelmStore.from_options(StoreOptions(database=database))
    for ask in (store.check, store.health):
        with pytest.raises(StoreUnavailableError):
            ask()
    database.dispose()


def test_the_words_of_an_enum_are_known(host: Host) -> None:
    tables = host.store.schema.tables()
    assert list(tables.contacts.columns["status"].labels) == ["active", "inactive", "do_not_call"]
    assert tables.contacts.columns["full_name"].generated


# Behind the wall


@pytest.fixture(scope="module")
def tables(host: Host) -> HostTables:
    return host.store.schema.tables()


@pytest.fixture(scope="module")
def ids(host: Host) -> dict[str, str]:
    """Two organizations, each with a contact, a call, and a member named like it."""
    kept = {}
    for name in ("ours", "theirs"):
        organization = host.organization(name=name)
        kept[name] = organization.id
        contact_id = host.contact(organization, "1", first_name=name)
        host.call(organization, contact_id, "2026-01-01T00:00Z")
        host.own.execute(
            "WITH p AS (INSERT INTO profiles (email) VALUES (%s) RETURNING id)"
            " INSERT INTO organization_members (organization_id, user_id) SELECT %s, id FROM p",
            (name, organization.id),
        )
    return kept


Statement = Callable[[HostTables], Any]

SEEING_OURS: dict[str, Statement] = {
    "a contact": lambda t: select(t.contacts.row.first_name),
    "an alias": lambda t: select(aliased(t.contacts.row).first_name),
    "a subquery": lambda t: select(select(t.contacts.row.first_name).subquery().c.first_name),
    "a member's profile": lambda t: select(t.members.row.profile_email),
    "an alias of a member": lambda t: select(aliased(t.members.row).profile_email),
    "a profile by itself": lambda t: select(t.members.row.profile_email).where(
        t.members.row.profile_email != ""
    ),
    "a contact beside a call": lambda t: select(t.contacts.row.first_name).join(
        t.calls.row, t.calls.row.caller_number == ""
    ),
    "the organization": lambda t: select(t.organizations.row.name),
}


@pytest.mark.parametrize("way", SEEING_OURS)
def test_a_read_sees_the_own_rows_only(
    host: Host, tables: HostTables, ids: dict[str, str], way: str
) -> None:
    statement = SEEING_OURS[way](tables)
    with host.database.read(ids["ours"]) as session:
        assert session.execute(statement).scalars().all() == ["ours"]
    assert host.database.fetch(ids["ours"], PreparedRead(statement), {}) == [("ours",)]


def test_unions_and_existence_are_confined(
    host: Host, tables: HostTables, ids: dict[str, str]
) -> None:
    contact, call = tables.contacts.row, tables.calls.row
    names = union_all(select(contact.first_name), select(aliased(contact).first_name)).subquery()
    theirs = exists(select(call.id).where(call.organization_id == ids["theirs"]))
    with host.database.read(ids["ours"]) as session:
        assert session.execute(select(names.c.first_name)).scalars().all() == ["ours", "ours"]
        assert session.execute(select(func.count()).select_from(tables.members.row)).scalar() == 1
        assert session.execute(select(contact.id, literal("there")).where(theirs)).all() == []


def _bare(tables: HostTables, name: str) -> Table:
    metadata = tables.contacts.row.__table__.metadata
    table: Table = metadata.tables[name]
    return table


REFUSED: dict[str, Statement] = {
    "a bare table": lambda t: select(_bare(t, "contacts").c.first_name),
    "the profiles": lambda t: select(_bare(t, "profiles").c.email),
    "the profiles beside a member": lambda t: select(
        t.members.row.id, _bare(t, "profiles").c.email
    ),
    "an alias of the profiles beside a member": lambda t: select(
        t.members.row.id, _bare(t, "profiles").alias().c.email
    ),
    "a bare INSERT": lambda t: insert(t.contacts.row).values(phone_number="1"),
    "an UPDATE that gives rows away": lambda t: update(t.contacts.row).values(
        organization_id=str(uuid.uuid4())
    ),
    "a bare DELETE": lambda t: delete(_bare(t, "contacts")),
}


@pytest.mark.parametrize("way", REFUSED)
def test_what_cannot_be_confined_is_refused(
    host: Host, tables: HostTables, ids: dict[str, str], way: str
) -> None:
    with pytest.raises(CrossOrganizationError), host.database.write(ids["ours"]) as session:
        session.execute(REFUSED[way](tables))


def test_a_prepared_read_of_a_bare_table_is_refused(tables: HostTables) -> None:
    with pytest.raises(CrossOrganizationError):
        PreparedRead(select(_bare(tables, "contacts").c.first_name))


def _row_of(host: Host, organization_id: str) -> dict[str, Any]:
    return {"organization_id": organization_id, "phone_number": "1", "id": str(uuid.uuid4())}


PLANTING: dict[str, Callable[[Session, Host, HostTables, str], object]] = {
    "a row": lambda s, h, t, theirs: insert_host_rows(
        s, t.contacts.row, [_row_of(h, s.info["organization_id"]), _row_of(h, theirs)]
    ),
    "an object": lambda s, h, t, theirs: (s.add(t.contacts.row(**_row_of(h, theirs))), s.flush()),
}


@pytest.mark.parametrize("way", PLANTING)
def test_a_row_for_another_organization_is_refused(
    host: Host, tables: HostTables, ids: dict[str, str], way: str
) -> None:
    with pytest.raises(CrossOrganizationError), host.database.write(ids["ours"]) as session:
        PLANTING[way](session, host, tables, ids["theirs"])
    with host.database.read(ids["theirs"]) as session:
        assert len(session.execute(select(tables.contacts.row.id)).all()) == 1


def test_a_lock_is_the_organizations_own(host: Host, ids: dict[str, str]) -> None:
    with host.database.write(ids["ours"]) as ours, host.database.write(ids["theirs"]) as theirs:
        lock_until_commit(ours, "contacts")
        lock_until_commit(theirs, "contacts")
