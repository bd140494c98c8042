"""The variables that the PBX itself provides, by what makes a scenario run.

From the 3CX documentation unless a comment names another source. An engine sets them, the lint
checks names against them, and our own template uses no others.
"""

from __future__ import annotations

from typing import Final

from callhelm_threecx.template.scenario_ids import (
    CFD_FREE_QUERY,
    CFD_ID,
    CFD_NUMBER,
    ScenarioKind,
)

EVERYWHERE: Final = frozenset({"MaxLength", "LineBreak", "FoundRecordCount"})
"""Set in every scenario: the PBX's own number length, a line break, and the results so far."""

OAUTH_REQUEST: Final = frozenset({"RedirectUri", "State"})
"""Set while the address of an OAuth sign-in is put together."""

OAUTH_RESPONSE: Final = frozenset({"code", "state", "RedirectUri", "State"})
"""Set in the scenario that a parameter's `ResponseScenario` names (seen in shipping templates)."""

_PARTY: Final = frozenset({"Number", "Name", "Email", "EntityId", "EntityType"})
_AGENT: Final = frozenset(
    {"Agent", "AgentFirstName", "AgentLastName", "AgentEmail", "QueueExtension"}
)
_LENGTH: Final = frozenset({"Duration", "DurationTimespan", "DateTime"})


def _instants(*events: str) -> frozenset[str]:
    suffixes = ("Local", "UTC", "LocalMillis", "UTCMillis")
    return frozenset(f"{event}Time{suffix}" for event in events for suffix in suffixes)


AI_VARIABLES: Final = frozenset(
    {"RecordingUrl", "RecordingHyperLink", "Transcription", "Summary", "Sentiment"}
)
"""Set by version 20 with its AI services; older ones leave the placeholder text standing."""

CFD_INPUTS: Final = {CFD_NUMBER: "Number", CFD_ID: "ID", CFD_FREE_QUERY: "SearchText"}
"""The one input of each Call Flow Designer lookup.

The documentation says what each of them is, not how the last two are named; an engine should set
`CFD_ALIASES` to the same value.
"""

CFD_ALIASES: Final = {
    CFD_NUMBER: frozenset({"Number"}),
    CFD_ID: frozenset({"ID", "Id", "EntityId"}),
    CFD_FREE_QUERY: frozenset({"SearchText", "Query", "FreeQuery", "Text"}),
}
"""Every name under which templates may expect the input of a Call Flow Designer lookup."""

INPUTS: Final[dict[ScenarioKind, frozenset[str]]] = {
    "lookup": frozenset({"Number", "CallDirection"}),
    "lookup_by_email": frozenset({"Email"}),
    # The second has been seen once in a shipping template and is not documented.
    "search": frozenset({"SearchText", "EscapedSearchText"}),
    "create_contact": frozenset({"Number", "CallDirection", "Email"}),
    "create_contact_from_client": frozenset(
        {"FirstName", "LastName", "Number", "Email", "Company"}
    ),
    "report_call": _PARTY
    | _AGENT
    | _LENGTH
    | AI_VARIABLES
    | {"CallType", "CallDirection"}
    | _instants("CallStart", "CallEstablished", "CallEnd"),
    "report_chat": _PARTY | _AGENT | _LENGTH | {"ChatMessages"} | _instants("ChatStart", "ChatEnd"),
    "cfd_lookup": frozenset().union(*CFD_ALIASES.values()),
    "other": frozenset(),
}
"""What each kind of scenario is given when it starts; a chained one inherits it."""

PHONE_OUTPUTS: Final = (
    "PhoneBusiness",
    "PhoneBusiness2",
    "PhoneMobile",
    "PhoneMobile2",
    "PhoneHome",
    "PhoneOther",
    "FaxBusiness",
)
"""The outputs in which the PBX looks for the number that it asked for."""
