"""What an administrator can do about an error in the event log."""

from dataclasses import dataclass
from typing import Final

from callhelm_threecx.models import EventRow
from callhelm_threecx.services.events import EventType

_WHAT: Final = {
    EventType.LOOKUP.value: "A caller could not be looked up",
    EventType.SEARCH.value: "A search failed",
    EventType.CREATE_CONTACT.value: "A contact was not created",
    EventType.JOURNAL.value: "A call was not recorded",
    EventType.CHAT.value: "A chat was not recorded",
    EventType.TEMPLATE.value: "A template was not handed out",
}
_UNREADABLE: Final = (
    "Your PBX sent what this server cannot read, most often by an old or edited template."
    " Download the template anew and upload it in 3CX."
)
_ADVICE: Final = {
    "storage_unavailable": (
        "The database, or the CRM behind this server, did not answer in time. Check that both run"
        " and are not overloaded."
    ),
    "internal_error": (
        "This is a fault of the server. Whoever runs it finds the reason in its log, at this time."
    ),
    "bad_input": (
        "Something in the request is missing or unreadable. If that repeats, download the template"
        " anew and upload it in 3CX; a changed field there is the usual reason."
    ),
    "bad_json": _UNREADABLE,
    "unsupported_media_type": _UNREADABLE,
    "body_too_large": (
        "The report is larger than this server takes, most often a long transcript or chat. Whoever"
        " runs the server can raise THREECX_MAX_BODY."
    ),
}
_OTHERWISE: Final = "Open it to see what was asked, and what the answer was."
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of the log in words: ``said`` is what the PBX was told."""

    event: EventRow
    what: str
    said: str
    advice: str


def fault_of(event: EventRow) -> Fault:
    """An error with what to do about it. The log has it as ``code: sentence``."""
    code, _, sentence = (event.error or "").partition(": ")
    said = sentence or code
    return Fault(
        event,
        what=_WHAT.get(event.event_type, "A request failed"),
        said=said if len(said) <= _MOST else said[: _MOST - 1] + "…",
        advice=_ADVICE.get(code, _OTHERWISE),
    )
