"""Imports of contacts as jobs: uploaded, looked at, run behind the answers, and told of.

A file is cut into batches when it is uploaded. Each batch is one transaction that keeps its
contacts and advances the job, so a process may die at any moment: another one goes on where it
ended, without doubles. Who works on a job holds it by a name of its own and shows that it is alive
with every batch; a job that nobody has shown alive for a while may be taken over.
"""

import logging
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Final

from sqlalchemy.exc import IntegrityError

from callhelm_threecx.db import Database
from callhelm_threecx.errors import (
    BadInputError,
    NotFoundError,
    StorageUnavailableError,
    TooLargeError,
)
from callhelm_threecx.models import utc_now
from callhelm_threecx.services.audit import PROGRAM, Actor
from callhelm_threecx.services.contact_tables import COLUMNS
from callhelm_threecx.services.csv_tables import REFUSED_COLUMNS, read_table, refused_row
from callhelm_threecx.services.import_batches import BATCH, ImportedRow, batch_of, contacts_in
from callhelm_threecx.services.import_jobs import Claim, ImportJobs, ImportState, Job, Keep
from callhelm_threecx.services.import_preview import ImportPreview, preview_of
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import BulkContacts, ContactStore, Organization
from callhelm_threecx.stores.importing import PlannedImports, TransactionalImports

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_ROWS: Final = 250_000
MAX_COLUMNS: Final = 200
MAX_FILE_NAME: Final = 255
KEPT_DAYS: Final = 7
"""So long the rows of an import stay, for a look at those that were refused."""

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_MOST_TRIES: Final = 20
"""So often a batch is tried while the database is away, over some four minutes."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RefusedRows:
    """The refused rows of an import as a table: each behind its line and the reason."""

    columns: Sequence[str]
    rows: Iterator[Sequence[str]]


class ContactImports:
    """Takes files of contacts, and has threads bring them in.

    A thread is started by `start` or `resume`, so the object may be built before a fork. `close`
    ends them behind their batch; what is left can be resumed at once.
    """

    def __init__(self, database: Database, store: ContactStore) -> None:
        self._store = store
        self._jobs = ImportJobs(database)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def is_possible(self) -> bool:
        """Whether the configured store takes contacts in bulk."""
        return isinstance(self._store, BulkContacts)

    def upload(
        self,
        organization: Organization,
        file_name: str,
        data: bytes,
        *,
        encoding: str = "",
        by: Actor = PROGRAM,
    ) -> Job:
        """Keep a file for an import; nothing of it is brought in yet.

        Raises `TooLargeError` for more than 20 MiB, `TableError` (with the line where it can) for
        what is no table of contacts, and `BadInputError` for one without a row, of more than
        250,000 rows or of more than 200 columns.
        """
        self._bulk()
        if len(data) > MAX_BYTES:
            raise TooLargeError(f"The file is larger than {MAX_BYTES // 2**20} MiB.")
        name = file_name.replace("\\", "/").rpartition("/")[2][:MAX_FILE_NAME] or "contacts.csv"
        table = read_table(name, data, COLUMNS, encoding=encoding)
        for number, most, what in (
            (table.length, MAX_ROWS, "rows"),
            (len(table.header), MAX_COLUMNS, "columns"),
        ):
            if number > most:
                raise BadInputError(f"{name} has {number} {what}; {most} are the most.")
        if not table.length:
            raise BadInputError(f"{name} has no row below its header.")
        self._jobs.clear(organization.id, before=utc_now() - timedelta(days=KEPT_DAYS))
        return self._jobs.add(organization.id, name, table, by)

    def recent(self, organization_id: str, *, limit: int = 20) -> Sequence[Job]:
        """The newest imports of an organization, the newest first."""
        return self._jobs.recent(organization_id, limit)

    def progress(self, organization_id: str, import_id: str) -> Job:
        """How far an import has come. Raises `NotFoundError`."""
        return self._jobs.get(organization_id, import_id)

    def preview(
        self,
        organization: Organization,
        import_id: str,
        *,
        first: int = 50,
        seconds: float | None = None,
    ) -> ImportPreview:
        """What an import would change: counts for the whole file (or for as much of it as can be
        looked at in so many seconds), and what happens to each of the first rows. Nothing is
        written. Reading a number takes a tenth of a millisecond, so 100,000 rows take a while.

        Raises `NotFoundError`, and `BadInputError` when the store cannot tell.
        """
        job = self._jobs.get(organization.id, import_id)
        if not isinstance(self._store, PlannedImports):
            raise BadInputError("The contact store cannot tell what an import would change.")
        return preview_of(self._store, organization, self._batches(job), first, seconds)

    def start(self, organization: Organization, import_id: str, *, by: Actor = PROGRAM) -> Job:
        """Begin to bring an uploaded file in; returns at once.

        Raises `NotFoundError`, and `ImportStateError` for one that has begun.
        """
        return self._take(organization, import_id, {ImportState.UPLOADED}, by)

    def resume(self, organization: Organization, import_id: str, *, by: Actor = PROGRAM) -> Job:
        """Go on with an import whose process is gone, or that failed.

        Raises `NotFoundError`, and `ImportStateError` for one that somebody works on or that has
        ended.
        """
        return self._take(organization, import_id, {ImportState.RUNNING, ImportState.FAILED}, by)

    def cancel(self, organization_id: str, import_id: str, *, by: Actor = PROGRAM) -> Job:
        """End an import behind its present batch; what was brought in stays.

        Raises `NotFoundError`, and `ImportStateError` for one that has ended.
        """
        return self._jobs.cancel(organization_id, import_id, by)

    def refused_rows(self, organization_id: str, import_id: str) -> RefusedRows:
        """The refused rows so far, for a file that can be corrected and imported as it is.

        Raises `NotFoundError`, also when the rows of the import are no longer kept.
        """
        job = self._jobs.get(organization_id, import_id)
        self._jobs.rows(job, 0)  # an answer that has begun could no longer say that they are gone
        refused = (
            refused_row(line, reason, cells, job.header)
            for line, reason, cells in self._jobs.refused(job)
        )
        return RefusedRows([*REFUSED_COLUMNS, *job.header], refused)

    def first_refused(
        self, organization_id: str, import_id: str, *, most: int = 20
    ) -> Sequence[tuple[int, str]]:
        """(line, reason) of the first refused rows so far. Raises `NotFoundError`."""
        job = self._jobs.get(organization_id, import_id)
        refused = self._jobs.refused(job, at_once=most)  # each batch among them has at least one
        return [(line, reason) for line, reason, _ in islice(refused, most)]

    def close(self, timeout: float = 10.0) -> None:
        """End every import of this process behind its present batch. What is left stands still
        until somebody resumes it."""
        self._stopping.set()
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(timeout)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the imports that this process has begun have ended."""
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(timeout)

    def _take(
        self, organization: Organization, import_id: str, states: set[ImportState], by: Actor
    ) -> Job:
        store = self._bulk()
        claim = self._jobs.take(organization.id, import_id, states, by=by)
        work = _Work(self._jobs, store, organization, claim)
        run = partial(work.run, self._stopping)
        thread = threading.Thread(target=run, name="threecx-import", daemon=True)
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()
        return claim.job

    def _bulk(self) -> BulkContacts:
        if isinstance(self._store, BulkContacts):
            return self._store
        raise BadInputError("The contact store takes no contacts in bulk.")

    def _batches(self, job: Job) -> Iterator[Sequence[ImportedRow]]:
        for position in range(-(-job.total // BATCH)):
            yield batch_of(self._jobs.rows(job, position), job.header)


class _Work:
    """One thread's work on one import."""

    def __init__(
        self, jobs: ImportJobs, store: BulkContacts, organization: Organization, claim: Claim
    ) -> None:
        self._jobs = jobs
        self._store = store
        self._organization = organization
        self._claim = claim

    def run(self, stopping: threading.Event) -> None:
        """Do batch after batch until the import has ended, or is somebody else's."""
        error = ""
        try:
            job = self._claim.job
            for position in range(job.done // BATCH, -(-job.total // BATCH)):
                if stopping.is_set():
                    break
                if not _persistently(partial(self._batch, position), stopping):
                    break
        except StorageUnavailableError:
            _log.warning("A contact import stands still: the database is away.")
        except NotFoundError as ex:
            error = ex.message
        except Exception as ex:  # the message may hold names and numbers: they stay unlogged
            where = "".join(traceback.format_tb(ex.__traceback__))
            _log.error("A contact import failed: %s\n%s", type(ex).__name__, where)
            error = "An error of the server ended the import."
        try:
            self._jobs.release(self._claim, error=error)
        except StorageUnavailableError:
            _log.warning("A contact import could not be let go; it can be resumed a little later.")

    def _batch(self, position: int) -> bool:
        """Bring one batch in; False when the import is no longer ours."""
        job = self._claim.job
        rows = batch_of(self._jobs.rows(job, position), job.header)
        for contact in contacts_in(rows)[1]:  # so that no transaction waits: they are remembered
            folding.parsed_phones(contact, self._organization.region)
        advance = partial(self._jobs.advance, self._claim, position, rows, self._keep(rows))
        try:
            return advance()
        except IntegrityError:  # a call has just created one of the contacts: now it is known
            return advance()

    def _keep(self, rows: Sequence[ImportedRow]) -> Keep:
        """How a batch is kept: with the job, or before it by a store that is somewhere else. That
        one may be given a batch twice, and finds it unchanged."""
        store, organization = self._store, self._organization
        if isinstance(store, TransactionalImports):
            within = store.import_batch_within
            return lambda session, contacts: within(session, organization, contacts)
        report = store.import_batch(organization, contacts_in(rows)[1])
        return lambda _session, _contacts: report


def _persistently(act: Callable[[], bool], stopping: threading.Event) -> bool:
    """Try until the database answers, with pauses that grow; one more time when told to stop."""
    pause = _FIRST_PAUSE_S
    for _ in range(_MOST_TRIES - 1):
        with suppress(StorageUnavailableError):
            return act()
        if stopping.wait(pause):
            break
        pause = min(pause * 2, _LONGEST_PAUSE_S)
    return act()
