"""The tables, as SQLModel classes on a metadata of their own (they may live in a host's database).

`OrganizationRow` marks a table whose rows belong to one organization; `db.Database` filters every
statement on it.
"""

from callhelm_threecx.models.base import (
    OrganizationRow,
    Row,
    metadata,
    new_id,
    organization_tables,
    utc_now,
)
from callhelm_threecx.models.contacts import (
    ContactImportBatchRow,
    ContactImportRow,
    ContactPhoneRow,
    ContactRow,
)
from callhelm_threecx.models.conversations import (
    CallRow,
    ChatRow,
    ConversationRow,
)
from callhelm_threecx.models.events import (
    DailyTotalRow,
    EventRetentionRow,
    EventRow,
)
from callhelm_threecx.models.integrations import (
    AgentMappingRow,
    ConsoleSessionRow,
    IntegrationRow,
)

__all__ = [
    "AgentMappingRow",
    "CallRow",
    "ChatRow",
    "ConsoleSessionRow",
    "ContactImportBatchRow",
    "ContactImportRow",
    "ContactPhoneRow",
    "ContactRow",
    "ConversationRow",
    "DailyTotalRow",
    "EventRetentionRow",
    "EventRow",
    "IntegrationRow",
    "OrganizationRow",
    "Row",
    "metadata",
    "new_id",
    "organization_tables",
    "utc_now",
]
