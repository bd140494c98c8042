"""``callhelm-threecx agents sync``: mappings proposed from the CRM's own users."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callhelm_threecx.cli.common import (
    AsJson,
    Org,
    fail,
    integration_of,
    note,
    open_services,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from callhelm_threecx.app import Services
    from callhelm_threecx.services.integrations import Integration
    from callhelm_threecx.services.member_sync import Proposal


def sync(
    *,
    org: Org,
    apply: Annotated[
        bool, typer.Option("--apply", help="Keep what is proposed; without it, only show it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Propose a mapping for each extension that one active user of the CRM has.

    What is mapped to somebody else already, or shared by several users, is told and left alone.
    """
    from callhelm_threecx.services.audit import AT_COMMAND_LINE
    from callhelm_threecx.services.member_sync import changes

    with open_services() as services:
        integration = integration_of(services, org)
        proposals = _proposals(services, integration)
        mappings = changes(proposals)
        if apply and mappings:
            services.agents.put_all(integration.organization_id, mappings, by=AT_COMMAND_LINE)
    applied = len(mappings) if apply else 0
    if as_json:
        print_json({"proposals": [_view(one) for one in proposals], "applied": applied})
        return
    rows = [(p.extension, p.kind.value, _names(p), p.reason) for p in proposals]
    print_table(("Extension", "Proposal", "Users", "Why"), rows)
    if apply:
        note(f"{applied} mapped.")
    elif mappings:
        note(f"{len(mappings)} would be mapped; --apply does it.")
    else:
        note("There is nothing to map.")


def _proposals(services: "Services", integration: "Integration") -> Sequence["Proposal"]:
    from callhelm_threecx.services.member_sync import propose
    from callhelm_threecx.stores.base import Members

    if not isinstance(services.store, Members):
        fail(f"The contact store {services.settings.contact_store!r} knows no users.")
    members = services.store.members(integration.organization)
    return propose(members, services.agents.all(integration.organization_id))


def _names(proposal: "Proposal") -> str:
    return ", ".join(member.email or member.name or member.id for member in proposal.members)


def _view(proposal: "Proposal") -> dict[str, Any]:
    return {
        "extension": proposal.extension,
        "proposal": proposal.kind.value,
        "reason": proposal.reason,
        "users": [
            {"id": member.id, "email": member.email, "name": member.name}
            for member in proposal.members
        ],
    }
