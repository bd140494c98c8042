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

__all__ = [
    "BulkContacts",
    "Contact",
    "ContactStore",
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
]
