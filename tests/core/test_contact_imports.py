"""Imports of contacts as jobs: uploaded, run behind the answers, told of."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from callhelm_threecx.db import Database
from callhelm_threecx.errors import (
    BadInputError,
    NotFoundError,
    TooLargeError,
)
from callhelm_threecx.models import ContactImportBatchRow, ContactImportRow, utc_now
from callhelm_threecx.services import contact_imports
from callhelm_threecx.services.audit import Actor
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.csv_tables import TableError, written_rows
from callhelm_threecx.services.events import EventFilter, EventLog, EventType
from callhelm_threecx.services.import_jobs import ImportState
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.memory import MemoryContactStore
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.contact_imports import ACME, PEOPLE, counts, names, run, upload


def test_an_uploaded_file_is_kept_and_nothing_of_it_brought_in(
    imports: ContactImports, store: SqlContactStore
) -> None:
    job = upload(imports, by=Actor("admin key", origin="192.0.2.1"))
    assert (job.state, job.total, job.done) == (ImportState.UPLOADED, 6, 0)
    assert job.actor == {"by": "admin key", "origin": "192.0.2.1"}
    assert job.unknown_columns == ["Shoe"]
    assert imports.progress("acme", job.id) == job
    assert names(store) == []


def test_an_import_says_what_became_of_every_row(
    imports: ContactImports, store: SqlContactStore
) -> None:
    job = run(imports, upload(imports))
    assert (job.state, job.done, counts(job)) == (ImportState.DONE, 6, (2, 1, 1, 2))
    assert job.finished_at is not None
    assert names(store) == ["Anna", "Bert"]


def test_refused_rows_are_a_table_that_can_be_corrected_and_imported(
    imports: ContactImports, store: SqlContactStore
) -> None:
    job = run(imports, upload(imports))
    assert imports.first_refused("acme", job.id) == [
        (4, "PhoneBusiness 'none' has no digit"),
        (5, "has neither a name nor a company"),
    ]
    refused = imports.refused_rows("acme", job.id)
    rows = list(refused.rows)
    assert list(refused.columns) == ["Line", "Reason", *PEOPLE.splitlines()[0].split(",")]
    assert rows[0][:4] == ["4", "PhoneBusiness 'none' has no digit", "Ben", "Ohne"]
    corrected = "".join(written_rows(refused.columns, rows[:1])).replace(",none,", ",030 5,")
    again = upload(imports, corrected)
    assert again.unknown_columns == ["Shoe"]
    assert counts(run(imports, again)) == (1, 0, 0, 0)
    assert names(store) == ["Anna", "Ben", "Bert"]


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", TableError, "people.csv is empty"),
        (b"Name;Number\nAnna;1\n", TableError, "names none of FirstName"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", TableError, "not UTF-8"),
        (b'FirstName\n"Anna\n', TableError, "line 2: a quote is not closed"),
        (b"FirstName\n\n", BadInputError, "no row below its header"),
        (b"FirstName" + b",x" * 200 + b"\nAnna\n", BadInputError, "201 columns"),
        (b"FirstName\n" + b"a\n" * 250_001, BadInputError, "250001 rows"),
        (b"FirstName\n" + b" " * contact_imports.MAX_BYTES, TooLargeError, "20 MiB"),
    ],
)
def test_what_is_no_file_of_contacts_is_told_at_once(
    imports: ContactImports, data: bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        upload(imports, data)
    assert imports.recent("acme") == []


def test_an_encoding_may_be_named(imports: ContactImports, store: SqlContactStore) -> None:
    run(imports, upload(imports, "FirstName\nZoë\n".encode("cp1252"), encoding="cp1252"))
    assert names(store) == ["Zoë"]


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("C:\\Users\\anna\\people.csv", "people.csv"),
        ("../../etc/people.csv", "people.csv"),
        ("x" * 400, "x" * 255),
        ("", "contacts.csv"),
    ],
)
def test_of_a_file_name_only_the_end_is_kept(
    imports: ContactImports, given_name: str, kept: str
) -> None:
    assert imports.upload(ACME, given_name, b"FirstName\nJo\n").file_name == kept


def test_cells_that_no_database_keeps_do_no_harm(
    imports: ContactImports, store: SqlContactStore
) -> None:
    job = run(imports, upload(imports, "FirstName,Odd\0,PhoneHome\nJo\0e,\0,\nAl,,\0\n"))
    assert (job.state, counts(job)) == (ImportState.DONE, (2, 0, 0, 0))
    assert names(store) == ["Al", "Joe"]


def test_imports_stay_in_their_organization(imports: ContactImports) -> None:
    job = upload(imports)
    other = Organization("other", "DE")
    assert imports.recent("other") == []
    for act in (
        lambda: imports.progress("other", job.id),
        lambda: imports.preview(other, job.id),
        lambda: imports.start(other, job.id),
        lambda: imports.cancel("other", job.id),
        lambda: imports.refused_rows("other", job.id),
        lambda: imports.progress("acme", "unknown"),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_the_newest_imports_come_first(imports: ContactImports) -> None:
    ids = [upload(imports).id for _ in range(3)]
    assert [job.id for job in imports.recent("acme", limit=2)] == [ids[2], ids[1]]


def test_the_rows_of_old_imports_are_cleared_by_the_next_upload(
    imports: ContactImports, database: Database
) -> None:
    finished, forgotten = run(imports, upload(imports)), upload(imports)
    theirs = imports.upload(Organization("other", "DE"), "x.csv", b"FirstName\nJo\n")
    long_ago = utc_now() - timedelta(days=contact_imports.KEPT_DAYS + 1)
    for organization in ("acme", "other"):
        with database.write(organization) as session:
            session.execute(update(ContactImportRow).values(created_at=long_ago))
    upload(imports)
    with database.read("acme") as session:
        left = session.execute(select(func.count(col(ContactImportBatchRow.position)))).scalar()
    assert left == 1
    assert imports.progress("acme", finished.id).state is ImportState.DONE
    assert imports.progress("acme", forgotten.id).state is ImportState.CANCELLED
    assert imports.progress("other", theirs.id).state is ImportState.UPLOADED
    for act in (
        lambda: imports.refused_rows("acme", finished.id),
        lambda: imports.preview(ACME, forgotten.id),
    ):
        with pytest.raises(NotFoundError, match="no longer kept"):
            act()


def test_the_event_log_says_who_started_and_cancelled_what(
    imports: ContactImports, database: Database
) -> None:
    first, second = upload(imports), upload(imports)
    imports.start(ACME, first.id, by=Actor("user", user_name="Olga"))
    imports.wait(60)
    imports.cancel("acme", second.id, by=Actor("admin key"))
    events = EventLog(database, "DE").page(EventFilter("acme", EventType.SETUP)).events
    told = {event.raw_data["action"]: event.raw_data for event in events}
    assert told["import_contacts"]["userName"] == "Olga"
    assert told["import_contacts"]["rows"] == 6
    assert told["cancel_import"]["by"] == "admin key"


def test_a_store_that_takes_nothing_in_bulk_is_told(database: Database) -> None:
    imports = ContactImports(database, MemoryContactStore())
    assert not imports.is_possible
    with pytest.raises(BadInputError, match="takes no contacts in bulk"):
        upload(imports)
