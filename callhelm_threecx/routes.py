"""The paths of the HTTP interface, below the mount prefix.

The resources are routed from these names and the template's URLs are built from them, so that the
two cannot drift apart.
"""

from typing import Final

DEFAULT_PREFIX: Final = "/api/3cx"

CONTACTS_LOOKUP: Final = "/contacts/lookup"
CONTACTS_SEARCH: Final = "/contacts/search"
CONTACTS_CREATE: Final = "/contacts/create"
CALLS_JOURNAL: Final = "/calls/journal"
CHATS_JOURNAL: Final = "/chats/journal"
TEMPLATE: Final = "/template"
SETUP: Final = "/setup"
AGENTS: Final = "/agents"
AGENT: Final = "/agents/{mapping_id}"
EVENTS: Final = "/events"
STATS: Final = "/stats"
HEALTHZ: Final = "/healthz"
READYZ: Final = "/readyz"
CONSOLE: Final = "/console"
