"""Imports as jobs: killed, taken over, collided, cancelled, and gone on with."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from callhelm_threecx.db import Database
from callhelm_threecx.errors import (
    BadInputError,
    StorageUnavailableError,
)
from callhelm_threecx.models import ContactImportRow, utc_now
from callhelm_threecx.services import contact_imports, import_batches
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.import_jobs import STALE_SECONDS, ImportState, ImportStateError
from callhelm_threecx.stores.base import ImportReport, NewContact, Organization
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.contact_imports import ACME, PEOPLE, counts, many, names, run, upload

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
