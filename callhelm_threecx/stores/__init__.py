"""Where contacts live: the contract of a store, and the stores that come with the package."""

from callhelm_threecx.stores.base import (
    BulkContacts,
    Contact,
    ContactStore,
    ImportReport,
    InvalidContactError,
    Match,
    NewContact,
    Organization,
    Phone,
    PhoneType,
    StoreOptions,
    StoreUnavailableError,
    TransactionalContacts,
)
from callhelm_threecx.stores.editing import (
    ContactChangedError,
    ContactPage,
    DeletedContact,
    DuplicateContactError,
    EditableContacts,
    edition_of,
)

__all__ = [
    "BulkContacts",
    "Contact",
    "ContactChangedError",
    "ContactPage",
    "ContactStore",
    "DeletedContact",
    "DuplicateContactError",
    "EditableContacts",
    "ImportReport",
    "InvalidContactError",
    "Match",
    "NewContact",
    "Organization",
    "Phone",
    "PhoneType",
    "StoreOptions",
    "StoreUnavailableError",
    "TransactionalContacts",
    "edition_of",
]
