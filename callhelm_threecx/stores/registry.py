"""Find the configured contact store among the installed ones, through entry points."""

from importlib.metadata import EntryPoint, entry_points

from callhelm_threecx.errors import SettingsError
from callhelm_threecx.stores.base import ContactStore, StoreOptions

GROUP = "callhelm_threecx.contact_stores"


def installed() -> dict[str, list[EntryPoint]]:
    """The installed stores by name; more than one under a name is a conflict."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        same_name = found.setdefault(point.name, [])
        if point.value not in {other.value for other in same_name}:
            same_name.append(point)
    return found


def load(name: str, options: StoreOptions) -> ContactStore:
    """Construct the store of this name.

    Raises `SettingsError` for a name that is unknown or claimed twice, a backend that cannot be
    imported or constructed, and an object that is no store. The message lists what is installed.
    """
    found = installed()
    known = f"Installed: {', '.join(sorted(found)) or 'none'}."
    points = found.get(name, [])
    if not points:
        raise SettingsError(f"THREECX_CONTACT_STORE: there is no store {name!r}. {known}")
    if len(points) > 1:
        claims = " and ".join(sorted(point.value for point in points))
        raise SettingsError(f"THREECX_CONTACT_STORE: {name!r} is claimed by {claims}. {known}")
    try:
        store = points[0].load()(options)
    except SettingsError:
        raise
    except Exception as ex:  # a backend may fail in any way; all stop the start
        reason = " ".join(f"{type(ex).__name__}: {ex}".split())
        raise SettingsError(
            f"THREECX_CONTACT_STORE: the store {name!r} does not load ({reason}). {known}"
        ) from ex
    if not isinstance(store, ContactStore):
        raise SettingsError(
            f"THREECX_CONTACT_STORE: {points[0].value} gives no contact store. {known}"
        )
    return store
