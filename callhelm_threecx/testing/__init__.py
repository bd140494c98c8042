"""The contract of a contact store as tests: subclass `ContactStoreContract` in your test suite.

    class TestMyStore(ContactStoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

That is all for a store that keeps what `create` is given. `add` and `touch` may be overridden for
a backend that gets its contacts, or learns of activity, in another way. Every test works in an
organization of its own, so the store need not be empty; `new_organization` makes them, and may be
overridden for a backend that must know them beforehand. pytest must be installed.

The tests of a store whose contacts people may edit (`callhelm_threecx.stores.editing`) subclass
`EditableContactsContract` as well.
"""

from callhelm_threecx.testing.base import StoreTests
from callhelm_threecx.testing.creating import CreatingTests
from callhelm_threecx.testing.editing import EditingTests
from callhelm_threecx.testing.numbers import NUMBER_FORMS, NumberTests
from callhelm_threecx.testing.searching import HOSTILE_TEXTS, SearchingTests

__all__ = [
    "HOSTILE_TEXTS",
    "NUMBER_FORMS",
    "ContactStoreContract",
    "EditableContactsContract",
    "StoreTests",
]


class ContactStoreContract(NumberTests, SearchingTests, CreatingTests):
    """What every `ContactStore` does, one behaviour each."""


class EditableContactsContract(EditingTests):
    """What every store does that is an `EditableContacts` besides."""
