"""The scenario ids that make the PBX run a scenario (3CX documentation)."""

from __future__ import annotations

from typing import Final, Literal

LOOKUP_BY_EMAIL: Final = "LookupByEmail"
SEARCH_CONTACTS: Final = "SearchContacts"
CREATE_CONTACT: Final = "CreateContactRecord"
CREATE_CONTACT_FROM_CLIENT: Final = "CreateContactRecordFromClient"
REPORT_CALL: Final = "ReportCall"
REPORT_CHAT: Final = "ReportChat"
CFD_PREFIX: Final = "LookupFromCFD"
CFD_NUMBER: Final = "LookupFromCFD_Contacts_LookupNumber"
CFD_ID: Final = "LookupFromCFD_Contacts_LookupID"
CFD_FREE_QUERY: Final = "LookupFromCFD_Contacts_LookupFreeQuery"

ScenarioKind = Literal[
    "lookup",
    "lookup_by_email",
    "search",
    "create_contact",
    "create_contact_from_client",
    "report_call",
    "report_chat",
    "cfd_lookup",
    "other",
]

_KINDS: Final[dict[str, ScenarioKind]] = {
    CREATE_CONTACT: "create_contact",
    CREATE_CONTACT_FROM_CLIENT: "create_contact_from_client",
    REPORT_CALL: "report_call",
    REPORT_CHAT: "report_chat",
}


def kind_of(scenario_id: str | None) -> ScenarioKind:
    """What makes the PBX run a scenario of this id.

    `LookupByEmail`, `SearchContacts` and `LookupFromCFD` are prefixes: every scenario that begins
    so runs (3CX documentation). Any other id is reached only from `Next`, from a parameter's
    `ResponseScenario` or as the Authentication.
    """
    if not scenario_id:
        return "lookup"
    if scenario_id.startswith(LOOKUP_BY_EMAIL):
        return "lookup_by_email"
    if scenario_id.startswith(SEARCH_CONTACTS):
        return "search"
    if scenario_id.startswith(CFD_PREFIX):
        return "cfd_lookup"
    return _KINDS.get(scenario_id, "other")
