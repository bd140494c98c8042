"""The kinds of events: what happened, and how it ended."""

from enum import Enum


class EventType(str, Enum):
    """What happened."""

    LOOKUP = "lookup"
    SEARCH = "search"
    CREATE_CONTACT = "create_contact"
    JOURNAL = "journal"
    CHAT = "chat"
    TEMPLATE = "template"
    SETUP = "setup"
    REFUSED = "refused"


class EventStatus(str, Enum):
    """How it ended."""

    OK = "ok"
    NO_MATCH = "no_match"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    ERROR = "error"
