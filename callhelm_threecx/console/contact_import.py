"""Imports of contacts: a file is taken, shown before anything changes, watched while it goes in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from callhelm_threecx import phone
from callhelm_threecx.console import contact_words as words
from callhelm_threecx.console.contacts import SECTION, ContactGate
from callhelm_threecx.console.desk import Visit
from callhelm_threecx.console.downloads import send_table
from callhelm_threecx.console.forms import Form, Upload
from callhelm_threecx.console.page import Action, FormPage, Page
from callhelm_threecx.errors import BadInputError, FieldError, NotFoundError, TooLargeError
from callhelm_threecx.services.audit import ADMIN_KEY, USER
from callhelm_threecx.services.contact_imports import MAX_BYTES, MAX_ROWS
from callhelm_threecx.services.contact_tables import COLUMNS
from callhelm_threecx.services.import_jobs import ImportState, ImportStateError, Job
from callhelm_threecx.services.import_preview import ImportPreview, PreviewedRow
from callhelm_threecx.stores.base import Contact
from callhelm_threecx.stores.importing import Outcome

IMPORTS: Final = f"{SECTION}/imports"
MAX_UPLOAD: Final = 32 * 1024 * 1024
"""Largest file that is read at all, in bytes; what is too large to be imported is told so."""

FIRST_ROWS: Final = 20
LOOK_S: Final = 2.0
"""So long a page looks at a file, in seconds; a large one can be looked at to its end on demand."""

LONG_LOOK_S: Final = 60.0
EVERY_MS: Final = 1000
MAX_CHANGES: Final = 4
ENCODINGS: Final = (
    ("", "Find out (UTF-8, or UTF-16 with a mark)"),
    ("cp1252", "Western European (CSV of Excel, cp1252)"),
    ("cp1250", "Central European (cp1250)"),
    ("cp1251", "Cyrillic (cp1251)"),
    ("cp1253", "Greek (cp1253)"),
    ("cp1254", "Turkish (cp1254)"),
    ("cp1255", "Hebrew (cp1255)"),
    ("cp1256", "Arabic (cp1256)"),
    ("shift_jis", "Japanese (Shift JIS)"),
    ("gb18030", "Chinese (GB 18030)"),
    ("cp949", "Korean (cp949)"),
)
_STATES: Final = {
    ImportState.UPLOADED: ("", "not started"),
    ImportState.RUNNING: ("warn", "running"),
    ImportState.DONE: ("good", "done"),
    ImportState.CANCELLED: ("", "cancelled"),
    ImportState.FAILED: ("bad", "failed"),
}
_STANDS_STILL: Final = ("bad", "stands still")
_OUTCOMES: Final = {
    Outcome.CREATED: ("good", "new"),
    Outcome.UPDATED: ("warn", "changed"),
    Outcome.UNCHANGED: ("", "unchanged"),
    Outcome.REFUSED: ("bad", "refused"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a contact before and after an import."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """What happens to a row, for its reader: what it is, and what becomes of it."""

    row: PreviewedRow
    badge: tuple[str, str]
    name: str
    changes: Sequence[Change]
    more: int


@dataclass(frozen=True, slots=True)
class JobLine:
    """An import in a list."""

    job: Job
    badge: tuple[str, str]
    who: str


class ImportsPage(ContactGate, FormPage):
    """Takes a file, and lists those that came before."""

    max_file: ClassVar[int] = MAX_UPLOAD

    def show(self, visit: Visit, **_: str) -> None:
        """The form and the list."""
        self._show(visit, Form())

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Keep the file for a look at it; nothing of it is brought in yet."""
        try:
            job = self._upload(visit, form)
        except (BadInputError, TooLargeError) as ex:
            visit.resp.status = ex.status
            form.errors = [FieldError("file", ex.message)]
            self._show(visit, form)
            return
        self.go(visit, f"{IMPORTS}/{job.id}")

    def _upload(self, visit: Visit, form: Form) -> Job:
        file = form.files.get("file", Upload("", b""))
        encoding = form.value("encoding")
        if not file.name and not file.content:
            raise BadInputError("Choose a file first.")
        if encoding not in dict(ENCODINGS):
            raise BadInputError("This encoding is none of the choices.")
        return self.imports.upload(
            self.organization(visit), file.name, file.content, encoding=encoding, by=visit.actor
        )

    def _show(self, visit: Visit, form: Form) -> None:
        jobs = self.imports.recent(visit.organization_id)
        self.render(
            visit,
            "contact-imports.html",
            form=form,
            columns=COLUMNS,
            encodings=ENCODINGS,
            most_rows=MAX_ROWS,
            most_megabytes=MAX_BYTES // 2**20,
            lines=[JobLine(job, badge_of(job), _who(job)) for job in jobs],
        )


class ImportPage(ContactGate, Page):
    """One import: what it would change, how far it has come, or what came of it."""

    def show(self, visit: Visit, import_id: str = "", **_: str) -> None:
        """The import as it stands. Raises `NotFoundError`."""
        job = self.imports.progress(visit.organization_id, import_id)
        if job.state is ImportState.UPLOADED:
            self._preview(visit, job)
        else:
            self._progress(visit, job)

    def _preview(self, visit: Visit, job: Job) -> None:
        long = visit.req.get_param("look") == "all"
        seconds = LONG_LOOK_S if long else LOOK_S
        preview: ImportPreview | None = None
        try:
            preview = self.imports.preview(
                self.organization(visit), job.id, first=FIRST_ROWS, seconds=seconds
            )
        except BadInputError:  # a store that cannot tell can import all the same
            preview = None
        self.render(
            visit,
            "contact-import-preview.html",
            job=job,
            preview=preview,
            lines=[preview_line(row) for row in preview.first_rows] if preview else [],
            refused=_beyond(preview) if preview else [],
            look_all=not long,
        )

    def _progress(self, visit: Visit, job: Job) -> None:
        told: dict[str, Any] = {"refused": (), "are_kept": True}
        if job.state.has_ended and job.refused:
            refused = self.imports.first_refused(visit.organization_id, job.id)
            told = {"refused": refused, "are_kept": bool(refused)}
        self.render(
            visit,
            "contact-import.html",
            job=job,
            badge=badge_of(job),
            who=_who(job),
            is_moving=job.state is ImportState.RUNNING and not job.is_stale,
            every=EVERY_MS,
            **told,
        )


class ImportAct(ContactGate, Action):
    """Starts, ends or goes on with an import."""

    def submit(
        self, visit: Visit, form: Form, import_id: str = "", act: str = "", **_: str
    ) -> None:
        """Do it. Raises `NotFoundError`."""
        del form
        try:
            notice = self._do(visit, import_id, act)
        except ImportStateError:
            notice = "The import has moved on meanwhile; this is where it stands now."
            self.go(visit, f"{IMPORTS}/{import_id}", notice, level="warn")
            return
        self.go(visit, f"{IMPORTS}/{import_id}", notice)

    def _do(self, visit: Visit, import_id: str, act: str) -> str:
        organization = self.organization(visit)
        if act == "start":
            self.imports.start(organization, import_id, by=visit.actor)
            return ""
        if act == "resume":
            self.imports.resume(organization, import_id, by=visit.actor)
            return ""
        if act == "cancel":
            job = self.imports.cancel(organization.id, import_id, by=visit.actor)
            return (
                "The import ends here. What was brought in stays."
                if job.done
                else ("Nothing was brought in.")
            )
        raise NotFoundError("There is nothing to do here.")


class RefusedFile(ContactGate, Page):
    """The refused rows of an import as CSV: corrected, it can be imported as it is."""

    def show(self, visit: Visit, import_id: str = "", **_: str) -> None:
        """The table. Raises `NotFoundError`, also when the rows are no longer kept."""
        refused = self.imports.refused_rows(visit.organization_id, import_id)
        send_table(visit.resp, "refused-contacts.csv", refused.columns, refused.rows)


def badge_of(job: Job) -> tuple[str, str]:
    """Where an import stands: look and words of a badge."""
    return _STANDS_STILL if job.is_stale else _STATES[job.state]


def preview_line(row: PreviewedRow) -> PreviewLine:
    """What happens to a row, in words."""
    changes = changes_of(row.before, row.after) if row.before and row.after else []
    return PreviewLine(
        row=row,
        badge=_OUTCOMES[row.outcome],
        name=words.name_of(row.after) if row.after else _first_cells(row),
        changes=changes[:MAX_CHANGES],
        more=max(0, len(changes) - MAX_CHANGES),
    )


def changes_of(before: Contact, after: Contact) -> list[Change]:
    """The fields that an import changes; a phone that comes or goes has nothing on the other
    side."""
    old, new = words.texts_of(before), words.texts_of(after)
    changes = [
        Change(label, old[field], new[field])
        for field, label in words.TEXT_LABELS.items()
        if old[field] != new[field]
    ]
    labels = dict(words.PHONE_TYPES)
    had, has = ([(item.type, item.number) for item in one.phones] for one in (before, after))
    gone = [(each, True) for each in had if each not in has]
    come = [(each, False) for each in has if each not in had]
    for (kind, number), is_gone in gone + come:
        shown = phone.display(number)
        label = labels[kind.value]
        changes.append(Change(label, shown, "") if is_gone else Change(label, "", shown))
    return changes


def _first_cells(row: PreviewedRow) -> str:
    """What a row that is no contact begins with, so that it can be found in the file."""
    return " ".join([cell.strip() for cell in row.cells if cell.strip()][:3])


def _beyond(preview: ImportPreview) -> list[PreviewLine]:
    """The refused rows that are not among the first rows."""
    shown = {row.line for row in preview.first_rows}
    return [preview_line(row) for row in preview.first_refused if row.line not in shown]


def _who(job: Job) -> str:
    """Who brought a file."""
    by = job.actor.get("by", "")
    return job.actor.get("userName") or {ADMIN_KEY: "Admin key", USER: "a user"}.get(by, by)
