"""Agent mappings from a CSV table: first what it would change, then the change.

Between the two steps the table travels with the form, compressed and sealed. What is applied is
what was shown: when mappings changed meanwhile, it is shown again.
"""

import base64
import hashlib
import zlib
from typing import ClassVar, Final

from callhelm_threecx.console.agents import SECTION, AgentGate
from callhelm_threecx.console.desk import Visit
from callhelm_threecx.console.forms import Form, Upload
from callhelm_threecx.console.page import Action, FormPage
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services import agent_tables
from callhelm_threecx.services.agent_tables import MappingPlan

MAX_FILE: Final = 2 * 1024 * 1024
MAX_SEALED: Final = 60 * 1024
"""Longest table, compressed and sealed, that a page carries; a longer one is for the command
line."""

SHOWN: Final = 100
"""Rows of each kind that the preview lists; the counts are of all of them."""

_PURPOSE: Final = "agent table"
_TOO_LONG: Final = (
    "The table is too long for this page. Import it with callhelm-threecx agents import."
)


class ImportPage(AgentGate, FormPage):
    """Takes a table and shows what it would change."""

    max_file: ClassVar[int] = MAX_FILE

    def show(self, visit: Visit, **_: str) -> None:
        """The form for a file."""
        self.render(visit, "agents-import.html", columns=agent_tables.COLUMNS)

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """The preview."""
        upload = form.files.get("file")
        try:
            if upload is None or not upload.content:
                raise BadInputError.of_field("file", "choose a file")
            show_preview(self, visit, upload)
        except BadInputError as ex:
            visit.resp.status = 400
            columns = agent_tables.COLUMNS
            self.render(visit, "agents-import.html", form=form.refused(ex), columns=columns)


class ApplyImport(AgentGate, Action):
    """Applies what a preview showed."""

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Write it, if it is still what was shown."""
        packed = self.desk.unseal(visit, form.value("table"), _PURPOSE)
        if packed is None:
            self.go(visit, f"{SECTION}/import", "Choose the file again.", level="warn")
            return
        upload = Upload("table", zlib.decompress(base64.b64decode(packed)))
        planned = _planned(self, visit, upload)
        if form.value("digest") != _digest(planned):
            show_preview(self, visit, upload, changed_meanwhile=True)
            return
        agent_tables.apply(self.parts.agents, visit.organization_id, planned, by=visit.actor)
        written = len(planned.to_write)
        noun = "extension was" if written == 1 else "extensions were"
        self.go(visit, SECTION, f"{written} {noun} mapped as the table says.")


def show_preview(
    page: AgentGate, visit: Visit, upload: Upload, *, changed_meanwhile: bool = False
) -> None:
    """Answer with what a table would change. Raises `BadInputError` for one that is none."""
    planned = _planned(page, visit, upload)
    packed = base64.b64encode(zlib.compress(upload.content, 9)).decode()
    sealed = page.desk.seal(visit, packed, _PURPOSE)
    if len(sealed) > MAX_SEALED:
        raise BadInputError.of_field("file", _TOO_LONG)
    page.render(
        visit,
        "agents-preview.html",
        planned=planned,
        shown=SHOWN,
        table=sealed,
        digest=_digest(planned),
        changed_meanwhile=changed_meanwhile,
    )


def _planned(page: AgentGate, visit: Visit, upload: Upload) -> MappingPlan:
    table = agent_tables.read_mappings(upload.name, upload.content)
    return agent_tables.plan(page.parts.agents, visit.organization_id, table)


def _digest(planned: MappingPlan) -> str:
    """What tells two plans apart that would write different things, or over different things."""
    return hashlib.sha256(repr((planned.added, planned.changed)).encode()).hexdigest()
