"""Find the configured contact store among the installed ones, through entry points."""

from importlib.metadata import EntryPoint

from callhelm_threecx.plugins import Plugins
from callhelm_threecx.stores.base import ContactStore, StoreOptions

GROUP = "callhelm_threecx.contact_stores"
_PLUGINS = Plugins(GROUP, "THREECX_CONTACT_STORE", "store")


def installed() -> dict[str, list[EntryPoint]]:
    """The installed stores by name; more than one under a name is a conflict."""
    return _PLUGINS.installed()


def load(name: str, options: StoreOptions) -> ContactStore:
    """Construct the store of this name.

    Raises `SettingsError` for a name that is unknown or claimed twice, a backend that cannot be
    imported or constructed, and an object that is no store. The message lists what is installed.
    """
    store = _PLUGINS.make(name, options)
    if not isinstance(store, ContactStore):
        raise _PLUGINS.refusal(f"{_PLUGINS.home_of(name)} gives no contact store")
    return store
