"""Whether everything that an answer needs is there."""

from callhelm_threecx import schema_version
from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.stores.base import ContactStore


class Readiness:
    """Asks the database and the contact store whether they answer."""

    def __init__(self, database: Database, store: ContactStore) -> None:
        self._database = database
        self._store = store
        self._schema_is_current = False

    def check(self) -> None:
        """Return when all is well; raise `StorageUnavailableError` that says what is not."""
        if not self._schema_is_current:  # a schema does not become outdated again
            current = schema_version.current(self._database)
            if current != schema_version.HEAD:
                raise StorageUnavailableError(
                    f"The database schema is {current or 'empty'}; run db upgrade.",
                )
            self._schema_is_current = True
        self._store.health()
        self._database.ping()
