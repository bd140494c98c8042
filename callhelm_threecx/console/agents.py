"""Agent mappings: who answers which extension."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.downloads import Exports
from callhelm_threecx.console.forms import Form
from callhelm_threecx.console.page import Action, FormPage, Gated, Page
from callhelm_threecx.errors import BadInputError, NotFoundError
from callhelm_threecx.models import AgentMappingRow
from callhelm_threecx.services import agent_tables, member_sync
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.csv_tables import write_rows
from callhelm_threecx.services.extensions import Extensions
from callhelm_threecx.services.reports import text_fields
from callhelm_threecx.stores.base import ContactStore, Member, Members

SECTION: Final = "/agents"
FIELDS: Final[Mapping[str, int]] = {
    "extension": 20,
    "agentId": 64,
    "agentEmail": 320,
    "agentFirstName": 320,
    "agentLastName": 320,
}
MAX_QUERY: Final = 100
MAX_MEMBERS: Final = 500
"""Users that a form offers by name; who has more of them types an id."""

_FILE: Final = "agents.csv"


@dataclass(frozen=True, slots=True)
class AgentParts:
    """What the pages of the mappings ask."""

    agents: Agents
    extensions: Extensions
    store: ContactStore


class AgentGate(Gated):
    """What the pages of the mappings have in common."""

    section: ClassVar[str | None] = SECTION

    def __init__(self, desk: Desk, parts: AgentParts) -> None:
        super().__init__(desk)
        self.parts = parts

    def members(self, visit: Visit) -> Sequence[Member]:
        """The users of the CRM, where the store knows them."""
        store, integration = self.parts.store, visit.integration
        if not isinstance(store, Members) or integration is None:
            return ()
        return store.members(integration.organization)

    def put(self, visit: Visit, form: Form) -> NewMapping:
        """Keep the mapping of a form. Raises `BadInputError` that names the fields at fault."""
        mapping = read_mapping(form)
        self.parts.agents.put(visit.organization_id, mapping, by=visit.actor)
        return mapping


class AgentsPage(AgentGate, FormPage):
    """The list, with what could be added to it."""

    def show(self, visit: Visit, **_: str) -> None:
        """A page of the list; ``extension`` and its company in the query fill the form in."""
        req = visit.req
        asked = {name: (req.get_param(name) or "")[:320] for name in FIELDS}
        self._show(visit, Form(asked))

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Map an extension, in place of what it was mapped to."""
        try:
            mapping = self.put(visit, form)
        except BadInputError as ex:
            visit.resp.status = 400
            self._show(visit, form.refused(ex))
            return
        self.go(visit, SECTION, f"Extension {mapping.extension} is {shown_name(mapping)}.")

    def _show(self, visit: Visit, form: Form) -> None:
        query = (visit.req.get_param("q") or "").strip()[:MAX_QUERY]
        after = (visit.req.get_param("after") or "")[:64]
        rows, following = self.parts.agents.page(visit.organization_id, query=query, after=after)
        members = self.members(visit)
        proposals = self._proposals(visit, members)
        self.render(
            visit,
            "agents.html",
            form=form,
            rows=rows,
            query=query,
            first=f"{SECTION}?{urlencode({'q': query})}" if after else "",
            following=f"{SECTION}?{urlencode({'q': query, 'after': following})}"
            if following
            else "",
            unmapped=self.parts.extensions.unmapped(visit.organization_id, limit=20),
            members=members[:MAX_MEMBERS],
            addable=[one for one in proposals if one.kind.is_change][:MAX_MEMBERS],
            doubtful=[
                one
                for one in proposals
                if not one.kind.is_change and one.kind is not member_sync.Proposed.KEEP
            ][:50],
        )

    def _proposals(self, visit: Visit, members: Sequence[Member]) -> list[member_sync.Proposal]:
        if not isinstance(self.parts.store, Members):
            return []
        return member_sync.propose(members, self.parts.agents.all(visit.organization_id))


class AgentPage(AgentGate, FormPage):
    """One mapping, to be changed."""

    def show(self, visit: Visit, **params: str) -> None:
        """The form with what is kept."""
        row = self.parts.agents.get(visit.organization_id, params["mapping_id"])
        self._show(visit, row, Form(fields_of(row)))

    def submit(self, visit: Visit, form: Form, **params: str) -> None:
        """Keep what the form says; the extension itself stays."""
        row = self.parts.agents.get(visit.organization_id, params["mapping_id"])
        before = fields_of(row)
        form.fields = {**form.fields, "extension": row.three_cx_extension}
        try:
            mapping = self.put(visit, form)
        except BadInputError as ex:
            visit.resp.status = 400
            self._show(visit, row, form.refused(ex))
            return
        notice = f"Extension {mapping.extension} is {shown_name(mapping)} now."
        self.go(visit, SECTION, notice, undo={"action": SECTION, "fields": before})

    def _show(self, visit: Visit, row: AgentMappingRow, form: Form) -> None:
        members = self.members(visit)[:MAX_MEMBERS]
        self.render(visit, "agent.html", form=form, row=row, members=members)


class DeleteAgent(AgentGate, Action):
    """Removes a mapping, which the notice can bring back."""

    def submit(self, visit: Visit, form: Form, **params: str) -> None:
        """Remove it; whoever removed it at the same time was first."""
        del form
        agents = self.parts.agents
        try:
            row = agents.get(visit.organization_id, params["mapping_id"])
            agents.delete(visit.organization_id, params["mapping_id"], by=visit.actor)
        except NotFoundError:
            self.go(visit, SECTION, "That mapping is gone already.", level="warn")
            return
        notice = f"Extension {row.three_cx_extension} is nobody's now."
        self.go(visit, SECTION, notice, undo={"action": SECTION, "fields": fields_of(row)})


class ApplyProposals(AgentGate, Action):
    """Maps every extension that one user of the CRM has."""

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Keep what is certain."""
        del form
        agents, organization_id = self.parts.agents, visit.organization_id
        found = member_sync.propose(self.members(visit), agents.all(organization_id))
        mappings = member_sync.changes(found)
        if mappings:
            agents.put_all(organization_id, mappings, by=visit.actor)
        noun = "extension was" if len(mappings) == 1 else "extensions were"
        self.go(visit, SECTION, f"{len(mappings)} {noun} mapped.")


class AgentsFile(AgentGate, Page):
    """The mappings as CSV, as an import takes them."""

    def __init__(self, desk: Desk, parts: AgentParts, exports: Exports) -> None:
        super().__init__(desk, parts)
        self.exports = exports

    def show(self, visit: Visit, **_: str) -> None:
        """The whole table."""
        buffer = io.StringIO()
        rows = self.parts.agents.all(visit.organization_id)
        write_rows(buffer, agent_tables.COLUMNS, map(agent_tables.row_of, rows))
        visit.resp.text = buffer.getvalue()
        visit.resp.content_type = "text/csv; charset=utf-8"
        visit.resp.set_header("Content-Disposition", f'attachment; filename="{_FILE}"')
        self.exports.note(visit, "export_agents")


def read_mapping(form: Form) -> NewMapping:
    """The mapping in a form. Raises `BadInputError` that names the fields at fault."""
    texts = text_fields({name: form.value(name) for name in FIELDS}, FIELDS)
    if not texts["extension"]:
        raise BadInputError.of_field("extension", "is required")
    return NewMapping(
        extension=texts["extension"],
        agent_id=texts["agentId"],
        agent_email=texts["agentEmail"],
        agent_first_name=texts["agentFirstName"],
        agent_last_name=texts["agentLastName"],
    )


def fields_of(row: AgentMappingRow) -> dict[str, str]:
    """A mapping as the fields of a form."""
    values: dict[str, Any] = {
        "extension": row.three_cx_extension,
        "agentId": row.agent_id,
        "agentEmail": row.agent_email,
        "agentFirstName": row.agent_first_name,
        "agentLastName": row.agent_last_name,
    }
    return {name: value or "" for name, value in values.items()}


def shown_name(mapping: NewMapping) -> str:
    """What a mapping's person is called in a sentence."""
    name = f"{mapping.agent_first_name} {mapping.agent_last_name}".strip()
    return name or mapping.agent_email or mapping.agent_id or "mapped to nobody"
