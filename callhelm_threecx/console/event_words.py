"""The event log in words: what each event was, how it ended, how contact and agent were found."""

from collections.abc import Mapping
from typing import Any, Final

from callhelm_threecx.console.rendering import clock
from callhelm_threecx.models import EventRow
from callhelm_threecx.services.events import EventStatus, EventType
from callhelm_threecx.services.reports import CallType
from callhelm_threecx.services.values import present

TYPES: Final[Mapping[EventType, str]] = {
    EventType.LOOKUP: "Lookup",
    EventType.SEARCH: "Search",
    EventType.CREATE_CONTACT: "New contact",
    EventType.JOURNAL: "Call",
    EventType.CHAT: "Chat",
    EventType.TEMPLATE: "Template download",
    EventType.SETUP: "Set-up",
    EventType.REFUSED: "Refused request",
}
STATUSES: Final[Mapping[EventStatus, tuple[str, str]]] = {
    EventStatus.OK: ("good", "done"),
    EventStatus.NO_MATCH: ("", "no match"),
    EventStatus.DUPLICATE: ("", "there already"),
    EventStatus.REFUSED: ("warn", "refused"),
    EventStatus.ERROR: ("bad", "error"),
}
"""Look and words of a badge."""

CALL_TYPES: Final[Mapping[CallType, tuple[str, str]]] = {
    CallType.INBOUND: ("good", "answered"),
    CallType.MISSED: ("bad", "missed"),
    CallType.OUTBOUND: ("good", "answered"),
    CallType.NOTANSWERED: ("warn", "not answered"),
}
_DIRECTIONS: Final = {"Inbound": "incoming", "Outbound": "outgoing"}
_ACTIONS: Final = {
    "create": "integration created",
    "rotate_key": "key replaced",
    "change": "settings changed",
    "retention": "retention of events changed",
    "map_agents": "extensions mapped",
    "unmap_agent": "mapping removed",
    "export_agents": "extensions taken along",
    "export_contacts": "contacts taken along",
    "export_events": "events taken along",
    "sign_in": "signed in",
}
_MOST: Final = 160  # characters of a value that a line quotes


def raw_of(event: EventRow) -> Mapping[str, Any]:
    """The report of an event; an earlier integration may have left none that has names."""
    return event.raw_data if isinstance(event.raw_data, Mapping) else {}


def type_of(event: EventRow) -> str:
    """What kind of event it was."""
    try:
        return TYPES[EventType(event.event_type)]
    except ValueError:
        return event.event_type


def status_of(event: EventRow) -> tuple[str, str]:
    """How it ended: look and words of a badge."""
    try:
        return STATUSES[EventStatus(event.status)]
    except ValueError:
        return "", event.status


def call_type_of(call_type: str | None) -> tuple[str, str]:
    """How a call ended: look and words of a badge."""
    try:
        return CALL_TYPES[CallType(call_type)]
    except ValueError:
        return "", call_type or ""


def direction_of(direction: str | None) -> str:
    """Who called whom, in a word."""
    return _DIRECTIONS.get(direction or "", direction or "")


def detail_of(event: EventRow) -> str:
    """What else a line says of an event: the error if there is one, else what is telling."""
    if event.error:
        return _short(event.error.partition(": ")[2] or event.error)
    told = _TELLERS.get(event.event_type)
    return told(event) if told else ""


def agent_name(event: EventRow) -> str:
    """The agent's name, as the PBX gave it."""
    first, last = _text(event, "AgentFirstName"), _text(event, "AgentLastName")
    return f"{first} {last}".strip()


def contact_finding(event: EventRow) -> str:
    """How the contact of an event was found, or why there is none; empty where none is meant."""
    finder = _FINDERS.get(event.event_type)
    return finder(event) if finder and event.status != EventStatus.ERROR.value else ""


def reported_contact(contact_id: str | None, by: str | None) -> str:
    """How the contact of a call or chat was found; ``by`` is `services.journal`'s word."""
    if contact_id is None:
        return "No contact has this number or address, and none was created."
    sentences = {
        "id": "The PBX named the contact: a lookup had shown it to the agent.",
        "number": "The number is the contact's.",
        "last_digits": "Of all contacts this one alone has a number that ends so.",
        "email": "It has the e-mail address.",
        "created": "It was created for this report.",
    }
    return sentences.get(by or "", "")


def attribution(by: str | None, *, extension: str = "", email: str = "") -> str:
    """How the agent of a call or chat was found; ``by`` is `services.attribution`'s word."""
    sentences = {
        "extension": f"The extension {extension} is mapped to this agent.",
        "email": f"Not the extension, but the address {email or 'of the agent'} is mapped.",
        "member_extension": f"A user of the CRM has the extension {extension}.",
        "member_email": f"A user of the CRM has the address {email or 'that the PBX named'}.",
    }
    if by in sentences:
        return sentences[by]
    if extension:
        return f"Nobody is mapped to the extension {extension}: the name is the PBX's own."
    return "Nobody is mapped to this agent." if email else "The PBX named no agent."


def agent_finding(event: EventRow) -> str:
    """How the agent of an event was found; empty where none is meant."""
    if event.event_type not in _REPORTS or event.status == EventStatus.ERROR.value:
        return ""
    if "attributedBy" not in raw_of(event):
        return "Not known: the log entry is an earlier integration's."
    extension, email = event.agent_extension or "", _text(event, "AgentEmail")
    return attribution(raw_of(event)["attributedBy"], extension=extension, email=email)


def unmapped_extension(event: EventRow) -> str:
    """The extension of a call or chat that nobody was mapped to; empty for none."""
    raw = raw_of(event)
    is_unmapped = "attributedBy" in raw and not raw["attributedBy"]
    return (event.agent_extension or "") if is_unmapped else ""


def _call_detail(event: EventRow) -> str:
    words = (direction_of(event.call_direction), call_type_of(event.call_type)[1])
    told = (", ".join(filter(None, words)), clock(event.duration_seconds))
    return " · ".join(filter(None, told))


def _search_detail(event: EventRow) -> str:
    query, found = _text(event, "query"), raw_of(event).get("found")
    return f"“{query}”: {_count(found)}" if query else ""


def _lookup_detail(event: EventRow) -> str:
    by = next((name for name in ("email", "id") if raw_of(event).get(name)), "")
    named = f"by {'e-mail address' if by == 'email' else 'contact id'}" if by else ""
    found = raw_of(event).get("found")
    return ", ".join(filter(None, (named, _count(found) if found and found != 1 else "")))


def _origin_detail(event: EventRow) -> str:
    action = str(raw_of(event).get("action") or "")
    what = _ACTIONS.get(action, action.replace("_", " "))
    who = _text(event, "userName") or _text(event, "by")
    where = _text(event, "origin") or _text(event, "client")
    by = f"by {who}" if who else ""
    return " ".join(filter(None, (what, by, f"from {where}" if where else "")))[:_MOST]


def _lookup_finding(event: EventRow) -> str:
    what = "this number"
    if raw_of(event).get("email"):
        what = "this e-mail address"
    elif raw_of(event).get("id"):
        what = "this id"
    elif not any(char.isdigit() for char in event.phone_number or ""):
        return "The caller's number was withheld: there is nothing to look for."
    found = raw_of(event).get("found")
    if event.status == EventStatus.NO_MATCH.value:
        return f"No contact matches {what}."
    if isinstance(found, int) and found > 1:
        return f"{found} contacts match {what}; the best match is named here."
    return f"One contact matches {what}."


def _search_finding(event: EventRow) -> str:
    found = raw_of(event).get("found")
    if event.status == EventStatus.NO_MATCH.value:
        return "Nothing was found for these words."
    return f"{_count(found).capitalize()} with every word. The first one is named here."


def _creation_finding(event: EventRow) -> str:
    if event.status == EventStatus.DUPLICATE.value:
        return "A contact with this name and number was there already; no second one was made."
    return "An agent created it at the phone."


def _report_finding(event: EventRow) -> str:
    by = raw_of(event).get("contactFoundBy")
    return reported_contact(event.contact_id, by if isinstance(by, str) else None)


def _count(found: Any) -> str:
    return "1 contact" if found == 1 else f"{found if isinstance(found, int) else 'no'} contacts"


def _text(event: EventRow, name: str) -> str:
    value = raw_of(event).get(name)
    return _short(present(value)) if isinstance(value, str) else ""


def _short(text: str) -> str:
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


_REPORTS: Final = (EventType.JOURNAL.value, EventType.CHAT.value)
_TELLERS: Final = {
    EventType.LOOKUP.value: _lookup_detail,
    EventType.SEARCH.value: _search_detail,
    EventType.JOURNAL.value: _call_detail,
    EventType.CHAT.value: lambda event: clock(event.duration_seconds),
    EventType.TEMPLATE.value: _origin_detail,
    EventType.SETUP.value: _origin_detail,
}
_FINDERS: Final = {
    EventType.LOOKUP.value: _lookup_finding,
    EventType.SEARCH.value: _search_finding,
    EventType.CREATE_CONTACT.value: _creation_finding,
    EventType.JOURNAL.value: _report_finding,
    EventType.CHAT.value: _report_finding,
}
