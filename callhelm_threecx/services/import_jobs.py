"""The table of imports: who may work on one, and how far it has come."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import NotFoundError, ThreeCXError
from callhelm_threecx.models import (
    ContactImportBatchRow,
    ContactImportRow,
    new_id,
    utc_now,
)
from callhelm_threecx.services.audit import Actor
from callhelm_threecx.services.contact_tables import COLUMNS
from callhelm_threecx.services.csv_tables import Table, unknown_columns
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.services.import_batches import (
    BATCH,
    ImportedRow,
    contacts_in,
    written_batches,
)
from callhelm_threecx.services.values import clean
from callhelm_threecx.stores.base import ImportReport, NewContact

STALE_SECONDS: Final = 60
"""So long an import may show no sign of life before somebody else may go on with it."""


class ImportState(str, Enum):
    """Where an import stands."""

    UPLOADED = "uploaded"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether nothing will happen any more, unless a failed one is resumed."""
        return self not in {ImportState.UPLOADED, ImportState.RUNNING}


class ImportStateError(ThreeCXError):
    """The import is in another state than this needs."""

    status: ClassVar[int] = 409
    code = "import_state"


@dataclass(frozen=True, slots=True)
class Job:
    """An import. ``total`` and the counters are rows; ``is_stale`` says that it is running but that
    nobody works on it any more; ``unknown_columns`` are left out."""

    id: str
    organization_id: str
    file_name: str
    header: Sequence[str]
    unknown_columns: Sequence[str]
    state: ImportState
    total: int
    done: int
    created: int
    updated: int
    unchanged: int
    refused: int
    error: str
    actor: Mapping[str, str]
    created_at: datetime
    finished_at: datetime | None
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """An import that somebody works on: ``runner`` is their name for it."""

    job: Job
    runner: uuid.UUID


Keep = Callable[[Session, Sequence[NewContact]], ImportReport]
"""Keeps contacts in the caller's transaction, or tells what became of them already."""


class ImportJobs:
    """Keeps imports and their batches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, organization_id: str, file_name: str, table: Table, by: Actor) -> Job:
        """Keep a table as an import that has not begun."""
        row = ContactImportRow(
            id=new_id(),
            organization_id=organization_id,
            file_name=clean(file_name),
            header=[clean(cell) for cell in table.header],
            state=ImportState.UPLOADED.value,
            total=table.length,
            actor=by.detail(),
        )
        with self._database.write(organization_id) as session:
            session.add(row)
            session.flush()
            for position, rows in enumerate(written_batches(table)):
                batch = ContactImportBatchRow(
                    organization_id=organization_id,
                    import_id=row.id,
                    position=position,
                    rows=rows,
                )
                session.add(batch)
                session.flush()
                session.expunge(batch)
            return _job(row)

    @retry_when_passing
    def recent(self, organization_id: str, limit: int) -> Sequence[Job]:
        """The newest imports, the newest first."""
        newest = col(ContactImportRow.created_at).desc(), col(ContactImportRow.id).desc()
        statement = select(ContactImportRow).order_by(*newest).limit(limit)
        with self._database.read(organization_id) as session:
            return [_job(row) for row in session.execute(statement).scalars()]

    @retry_when_passing
    def get(self, organization_id: str, import_id: str) -> Job:
        """One import. Raises `NotFoundError`, also for another organization's."""
        with self._database.read(organization_id) as session:
            return _job(_found(session, import_id))

    @retry_when_passing
    def rows(self, job: Job, position: int) -> str:
        """The rows of a batch, as they were kept. Raises `NotFoundError` when they are cleared."""
        with self._database.read(job.organization_id) as session:
            batch = session.get(ContactImportBatchRow, (uuid.UUID(job.id), position))
            if batch is None:
                raise NotFoundError("The rows of this import are no longer kept.")
            return batch.rows

    def refused(self, job: Job, *, at_once: int = 1) -> Iterator[tuple[int, str, Sequence[str]]]:
        """(line, reason, cells) of every refused row so far, read so many batches at once."""
        after = -1
        while True:
            statement = (
                select(ContactImportBatchRow)
                .where(
                    col(ContactImportBatchRow.import_id) == uuid.UUID(job.id),
                    col(ContactImportBatchRow.position) > after,
                    col(ContactImportBatchRow.refused) != "[]",
                )
                .order_by(col(ContactImportBatchRow.position))
                .limit(at_once)
            )
            with self._database.read(job.organization_id) as session:
                batches = session.execute(statement).scalars().all()
            for batch in batches:
                yield from _refused_of(batch)
                after = batch.position
            if len(batches) < at_once:
                return

    def take(
        self,
        organization_id: str,
        import_id: str,
        states: set[ImportState],
        *,
        by: Actor,
    ) -> Claim:
        """Begin to work on an import in one of these states. Raises `NotFoundError` and
        `ImportStateError`."""
        with self._database.write(organization_id) as session:
            row = _found(session, import_id, held=True)
            job = _job(row)
            if job.state not in states:
                raise ImportStateError(f"The import is {job.state.value}.")
            if job.state is ImportState.RUNNING and not job.is_stale:
                raise ImportStateError("The import is running.")
            action = "import_contacts" if job.state is ImportState.UPLOADED else "resume_import"
            row.state, row.error, row.finished_at = ImportState.RUNNING.value, "", None
            row.runner, row.heartbeat_at = uuid.uuid4(), utc_now()
            _log_act(session, row, action, by)
            return Claim(_job(row), row.runner)

    def advance(
        self, claim: "Claim", position: int, rows: Sequence[ImportedRow], keep: Keep
    ) -> bool:
        """Bring a batch in and say so, in one transaction; False, and nothing done, when the import
        is no longer this runner's. A batch that was brought in before is left alone."""
        with self._database.write(claim.job.organization_id) as session:
            row = _found(session, claim.job.id, held=True)
            if row.runner != claim.runner or row.state != ImportState.RUNNING.value:
                return False
            if row.done <= position * BATCH:  # else the answer to the last attempt was lost
                indexes, contacts = contacts_in(rows)
                report = keep(session, contacts)
                unkept = [(indexes[index], reason) for index, reason in report.refused]
                _count(session, row, position, _refused(rows, unkept), report)
                _move_on(row, len(rows))
        return True

    def release(self, claim: "Claim", *, error: str = "") -> None:
        """Leave an import to whoever wants to go on with it, if it is still this runner's. With an
        error, it has failed."""
        values: dict[str, object] = {"runner": None, "heartbeat_at": None}
        if error:
            values |= {"state": ImportState.FAILED.value, "error": error, "finished_at": utc_now()}
        with self._database.write(claim.job.organization_id) as session:
            session.execute(
                update(ContactImportRow)
                .where(col(ContactImportRow.id) == uuid.UUID(claim.job.id))
                .where(col(ContactImportRow.runner) == claim.runner)
                .values(**values)
                .execution_options(synchronize_session=False)
            )

    def cancel(self, organization_id: str, import_id: str, by: Actor) -> Job:
        """End an import. Raises `NotFoundError` and `ImportStateError`."""
        with self._database.write(organization_id) as session:
            row = _found(session, import_id, held=True)
            if _job(row).state.has_ended:
                raise ImportStateError(f"The import is {row.state}.")
            row.state, row.finished_at = ImportState.CANCELLED.value, utc_now()
            row.runner = row.heartbeat_at = None
            _log_act(session, row, "cancel_import", by)
            return _job(row)

    def clear(self, organization_id: str, *, before: datetime) -> None:
        """Let go of the rows of imports that are older than an instant; one of them that has not
        ended never will."""
        old = select(col(ContactImportRow.id)).where(col(ContactImportRow.created_at) < before)
        open_states = [ImportState.UPLOADED.value, ImportState.RUNNING.value]
        with self._database.write(organization_id) as session:
            ids = session.execute(old).scalars().all()
            if not ids:
                return
            session.execute(
                delete(ContactImportBatchRow)
                .where(col(ContactImportBatchRow.import_id).in_(ids))
                .execution_options(synchronize_session=False)
            )
            session.execute(
                update(ContactImportRow)
                .where(col(ContactImportRow.id).in_(ids))
                .where(col(ContactImportRow.state).in_(open_states))
                .values(
                    state=ImportState.CANCELLED.value,
                    finished_at=utc_now(),
                    runner=None,
                    heartbeat_at=None,
                )
                .execution_options(synchronize_session=False)
            )


def _found(session: Session, import_id: str, *, held: bool = False) -> ContactImportRow:
    try:
        wanted = col(ContactImportRow.id) == uuid.UUID(import_id)
    except ValueError:
        raise NotFoundError("There is no such import.") from None
    statement = select(ContactImportRow).where(wanted)
    if held:
        statement = statement.with_for_update()
    row = session.execute(statement).scalars().one_or_none()
    if row is None:
        raise NotFoundError("There is no such import.")
    return row


def _refused_of(batch: ContactImportBatchRow) -> Iterator[tuple[int, str, Sequence[str]]]:
    rows = json.loads(batch.rows)
    for index, reason in json.loads(batch.refused or "[]"):
        line, cells = rows[index]
        yield line, reason, cells


def _refused(
    rows: Sequence[ImportedRow], unkept: Sequence[tuple[int, str]]
) -> list[tuple[int, str]]:
    """The index and the reason of every row that was not brought in, from the top."""
    unread = [(index, row.reason) for index, row in enumerate(rows) if row.contact is None]
    return sorted([*unread, *unkept])


def _count(
    session: Session,
    row: ContactImportRow,
    position: int,
    refused: Sequence[tuple[int, str]],
    report: ImportReport,
) -> None:
    """Write down what became of a batch."""
    batch = session.get_one(ContactImportBatchRow, (row.id, position))
    batch.refused = json.dumps(refused, ensure_ascii=False)
    row.created += report.created
    row.updated += report.updated
    row.unchanged += report.unchanged
    row.refused += len(refused)


def _move_on(row: ContactImportRow, rows: int) -> None:
    row.done += rows
    row.heartbeat_at = utc_now()
    if row.done >= row.total:
        row.state, row.finished_at = ImportState.DONE.value, utc_now()
        row.runner = row.heartbeat_at = None


def _log_act(session: Session, row: ContactImportRow, action: str, by: Actor) -> None:
    detail = {"action": action, "fileName": row.file_name, "rows": row.total, **by.detail()}
    session.add(Event(row.organization_id, EventType.SETUP, raw_data=detail).row())


def _job(row: ContactImportRow) -> Job:
    state = ImportState(row.state)
    alive_since = utc_now() - timedelta(seconds=STALE_SECONDS)
    is_alive = row.heartbeat_at is not None and row.heartbeat_at >= alive_since
    return Job(
        id=str(row.id),
        organization_id=row.organization_id,
        file_name=row.file_name,
        header=row.header,
        unknown_columns=unknown_columns(row.header, COLUMNS),
        state=state,
        total=row.total,
        done=row.done,
        created=row.created,
        updated=row.updated,
        unchanged=row.unchanged,
        refused=row.refused,
        error=row.error,
        actor=row.actor,
        created_at=row.created_at,
        finished_at=row.finished_at,
        is_stale=state is ImportState.RUNNING and not is_alive,
    )
