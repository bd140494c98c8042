"""Imports of contacts as jobs: uploaded, looked at, run behind the answers, told of."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from callhelm_threecx.db import Database
from callhelm_threecx.errors import (
    BadInputError,
    NotFoundError,
    StorageUnavailableError,
    TooLargeError,
)
from callhelm_threecx.models import ContactImportBatchRow, ContactImportRow, utc_now
from callhelm_threecx.services import contact_imports, import_batches
from callhelm_threecx.services.audit import Actor
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.csv_tables import TableError, written_rows
from callhelm_threecx.services.events import EventFilter, EventLog, EventType
from callhelm_threecx.services.import_jobs import STALE_SECONDS, ImportState, ImportStateError, Job
from callhelm_threecx.stores.base import ImportReport, NewContact, Organization, Phone
from callhelm_threecx.stores.importing import Outcome
from callhelm_threecx.stores.memory import MemoryContactStore
from callhelm_threecx.stores.sql import SqlContactStore

ACME = Organization("acme", "DE")
PEOPLE = """\
FirstName,LastName,Company,PhoneBusiness,ExternalId,Shoe
Anna,Müller,,030 123456,1,38
Bert,,,030 123457,,44
Ben,Ohne,,none,,
,,,030 1,,
Bert,,Acme,030/123457,,
Anna,Müller,,030 123456,1,
"""


def many(count: int) -> bytes:
    rows = "".join(f"Name {n},030 {200000 + n}\n" for n in range(count))
    return f"FirstName,PhoneHome\n{rows}".encode()


@pytest.fixture
def imports(database: Database, store: SqlContactStore) -> Iterator[ContactImports]:
    imports = ContactImports(database, store)
    yield imports
    imports.close()


def upload(imports: ContactImports, text: str | bytes = PEOPLE, **more: Any) -> Job:
    data = text if isinstance(text, bytes) else text.encode()
    return imports.upload(ACME, "people.csv", data, **more)


def run(imports: ContactImports, job: Job) -> Job:
    imports.start(ACME, job.id)
    imports.wait(60)
    return imports.progress("acme", job.id)


def counts(job: Any) -> tuple[int, int, int, int]:
    return job.created, job.updated, job.unchanged, job.refused


def names(store: SqlContactStore) -> list[str]:
    return sorted(contact.first_name for contact in store.export(ACME))


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


def test_a_preview_counts_the_whole_file_and_shows_the_first_rows(
    imports: ContactImports, store: SqlContactStore
) -> None:
    store.import_batch(ACME, [NewContact("Anna", "Weiß", external_id="1")])
    preview = imports.preview(ACME, upload(imports).id, first=3)
    assert counts(preview) == (1, 2, 1, 2)
    assert [(row.line, row.outcome) for row in preview.first_rows] == [
        (2, Outcome.UPDATED),
        (3, Outcome.CREATED),
        (4, Outcome.REFUSED),
    ]
    anna, bert, ben = preview.first_rows
    assert anna.before is not None
    assert anna.after is not None
    assert (anna.before.last_name, anna.after.last_name) == ("Weiß", "Müller")
    assert anna.after.phones == (Phone("+4930123456"),)
    assert bert.after is not None
    assert bert.after.id == ""
    assert ben.reason == "PhoneBusiness 'none' has no digit"
    assert names(store) == ["Anna"]


def test_the_rows_of_a_preview_stand_beside_their_own_lines_in_every_batch(
    imports: ContactImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (import_batches, contact_imports):
        monkeypatch.setattr(module, "BATCH", 2)
    shown = imports.preview(ACME, upload(imports).id).first_rows
    assert [(row.line, row.outcome.value) for row in shown] == [
        (2, "created"),
        (3, "created"),
        (4, "refused"),
        (5, "refused"),
        (6, "updated"),
        (7, "unchanged"),
    ]


def test_a_preview_of_a_long_file_ends_in_time(imports: ContactImports) -> None:
    job = upload(imports, many(250))
    assert imports.preview(ACME, job.id).looked_at == 250
    assert imports.preview(ACME, job.id, seconds=0).looked_at == 100


WORD = st.sampled_from(["", "Anna", "ANNA", "Bert", "Ä"])
NUMBER = st.sampled_from(["", "030 123456", "+49 30 123456", "030 999999", "112", "x"])
ROW = st.tuples(WORD, WORD, NUMBER, NUMBER, st.sampled_from(["", "", "1", "2"]))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(ROW, max_size=6), rows=st.lists(ROW.filter(any), min_size=1, max_size=14))
def test_what_a_preview_says_is_what_happens(
    before: list[Sequence[str]], rows: list[Sequence[str]], database: Database
) -> None:
    """Whatever is there already, and however the rows and batches depend on each other."""
    organization = Organization(f"o{utc_now().timestamp()}".replace(".", "-"), "DE")
    store = SqlContactStore(database)
    imports = ContactImports(database, store)
    columns = ("FirstName", "Company", "PhoneBusiness", "PhoneHome", "ExternalId")
    with pytest.MonkeyPatch.context() as patch:
        for module in ("import_batches", "contact_imports", "import_jobs"):
            patch.setattr(f"callhelm_threecx.services.{module}.BATCH", 4)
        for table in filter(None, (before, rows)):
            text = "".join(written_rows(columns, table)).encode()
            if not any(any(row) for row in table):
                continue
            job = imports.upload(organization, "x.csv", text)
            preview = imports.preview(organization, job.id)
            imports.start(organization, job.id)
            imports.wait(60)
            done = imports.progress(organization.id, job.id)
            assert done.state is ImportState.DONE, done.error
            assert counts(done) == counts(preview)


IMPORTING = """
import sys
from callhelm_threecx.db import Database
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.settings import database_url
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.sql import SqlContactStore

class Store(SqlContactStore):
    batches = 0

    def import_batch_within(self, *arguments):
        report = super().import_batch_within(*arguments)
        self.batches += 1
        if self.batches == 3:
            print("in the third batch", flush=True)
            sys.stdin.read()
        return report

database = Database(database_url(sys.argv[1]))
imports = ContactImports(database, Store(database))
imports.start(Organization("acme", "DE"), sys.argv[2])
imports.wait()
"""


def test_a_killed_import_is_resumed_by_another_process_without_doubles(
    imports: ContactImports, database: Database, database_url: str, store: SqlContactStore
) -> None:
    """It is killed in the middle of a batch."""
    job = upload(imports, many(340))
    process = subprocess.Popen(
        [sys.executable, "-c", IMPORTING, database_url, job.id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in the third batch\n"
        process.kill()
    assert imports.progress("acme", job.id).done == 200
    with pytest.raises(ImportStateError, match="running"):
        imports.resume(ACME, job.id)
    long_ago = utc_now() - timedelta(seconds=STALE_SECONDS + 1)
    with database.write("acme") as session:
        session.execute(update(ContactImportRow).values(heartbeat_at=long_ago))
    assert imports.progress("acme", job.id).is_stale
    imports.resume(ACME, job.id)
    imports.wait(60)
    done = imports.progress("acme", job.id)
    assert (done.state, done.done, counts(done)) == (ImportState.DONE, 340, (340, 0, 0, 0))
    assert len(names(store)) == 340


def test_an_import_that_was_taken_over_is_let_go(
    imports: ContactImports,
    database: Database,
    store: SqlContactStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that slept for long finds that another one has gone on."""
    job = upload(imports, many(240))
    whole = import_batches.batch_of
    asleep, wake = threading.Event(), threading.Event()

    def sleeping(kept: str, header: Sequence[str]) -> Any:
        rows = whole(kept, header)
        if threading.current_thread().name == "threecx-import" and not asleep.is_set():
            asleep.set()
            assert wake.wait(60)
        return rows

    monkeypatch.setattr(contact_imports, "batch_of", sleeping)
    imports.start(ACME, job.id)
    assert asleep.wait(60)
    with database.write("acme") as session:
        session.execute(update(ContactImportRow).values(heartbeat_at=None))
    other = ContactImports(database, store)
    other.resume(ACME, job.id)
    other.wait(60)
    wake.set()
    imports.wait(60)
    done = imports.progress("acme", job.id)
    assert (done.done, counts(done)) == (240, (240, 0, 0, 0))


def test_a_batch_whose_answer_was_lost_is_counted_once(
    imports: ContactImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_imports, "_FIRST_PAUSE_S", 0.01)
    whole, lost = contact_imports.ImportJobs.advance, []

    def forgetful(*arguments: Any) -> bool:
        result = whole(*arguments)
        if not lost:
            lost.append(True)
            raise StorageUnavailableError
        return result

    monkeypatch.setattr(contact_imports.ImportJobs, "advance", forgetful)
    job = run(imports, upload(imports, many(140)))
    assert (job.state, job.done, counts(job)) == (ImportState.DONE, 140, (140, 0, 0, 0))


def test_a_contact_that_a_call_creates_in_the_same_moment_does_no_harm(
    imports: ContactImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, failed = SqlContactStore.import_batch_within, []

    def collided(*arguments: Any) -> ImportReport:
        if not failed:
            failed.append(True)
            raise IntegrityError("INSERT", {}, Exception())
        return whole(*arguments)

    monkeypatch.setattr(SqlContactStore, "import_batch_within", collided)
    assert run(imports, upload(imports)).state is ImportState.DONE


def test_a_closed_server_leaves_its_imports_to_be_resumed_at_once(
    imports: ContactImports, database: Database, store: SqlContactStore
) -> None:
    job = upload(imports, many(340))
    stopped = ContactImports(database, store)
    stopped.close()
    stopped.start(ACME, job.id)
    stopped.wait(60)
    left = imports.progress("acme", job.id)
    assert (left.state, left.is_stale, left.done) == (ImportState.RUNNING, True, 0)
    imports.resume(ACME, job.id)
    imports.wait(60)
    assert imports.progress("acme", job.id).state is ImportState.DONE


def test_a_failed_import_says_so_without_anybodys_name_and_can_be_resumed(
    imports: ContactImports, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    message = f"{PEOPLE} cannot be kept"

    def broken(*_arguments: Any) -> ImportReport:
        raise RuntimeError(message)

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(SqlContactStore, "import_batch_within", broken)
        job = run(imports, upload(imports))
    assert (job.state, job.error) == (
        ImportState.FAILED,
        "An error of the server ended the import.",
    )
    assert "RuntimeError" in caplog.text
    assert "Anna" not in caplog.text
    imports.resume(ACME, job.id)
    imports.wait(60)
    assert imports.progress("acme", job.id).state is ImportState.DONE


@pytest.mark.parametrize("act", ["start", "resume", "cancel"])
def test_what_has_ended_is_left_alone(imports: ContactImports, act: str) -> None:
    job = run(imports, upload(imports))
    with pytest.raises(ImportStateError, match="done"):
        getattr(imports, act)("acme" if act == "cancel" else ACME, job.id)


def test_a_cancelled_import_is_not_begun(imports: ContactImports, store: SqlContactStore) -> None:
    job = upload(imports)
    assert imports.cancel("acme", job.id).state is ImportState.CANCELLED
    with pytest.raises(ImportStateError, match="cancelled"):
        imports.start(ACME, job.id)
    assert names(store) == []


def test_a_running_import_is_cancelled_behind_its_batch(
    imports: ContactImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(imports, many(340))
    whole = import_batches.batch_of

    def cancelling(kept: str, header: Sequence[str]) -> Any:
        if imports.progress("acme", job.id).done == 100:
            imports.cancel("acme", job.id)
        return whole(kept, header)

    monkeypatch.setattr(contact_imports, "batch_of", cancelling)
    done = run(imports, job)
    assert (done.state, done.done) == (ImportState.CANCELLED, 100)


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


class ElsewhereStore:
    """Contacts in bulk, but not in the product's database."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def import_batch(self, _organization: Organization, batch: Sequence[NewContact]) -> Any:
        self.batches.append(len(batch))
        return ImportReport(created=len(batch) - 1, refused=[(0, "is not wanted")])

    def export(self, _organization: Organization) -> Iterator[Any]:
        return iter(())


def test_a_store_elsewhere_is_given_the_batches_too(database: Database) -> None:
    store: Any = ElsewhereStore()
    imports = ContactImports(database, store)
    job = run(imports, upload(imports, many(120)))
    assert store.batches == [100, 20]
    assert (job.state, counts(job)) == (ImportState.DONE, (118, 0, 0, 2))
    assert imports.first_refused("acme", job.id) == [(2, "is not wanted"), (102, "is not wanted")]
    with pytest.raises(BadInputError, match="cannot tell"):
        imports.preview(ACME, job.id)
