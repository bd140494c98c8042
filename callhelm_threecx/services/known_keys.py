"""What a process knows of API keys, and how long it believes that.

What was read from the database is believed for three seconds. Before they are over one query asks
whether all of it still holds, however many organizations call: with ten thousand of them each key
would else be forgotten before its PBX has another call.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, func, literal_column, select
from sqlmodel import col

from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import IntegrationRow, utc_now

if TYPE_CHECKING:
    from callhelm_threecx.services.integrations import Integration

MOST: Final = 20_000
"""Keys that are known at most; those that were asked for last."""

BELIEVED_S: Final = 3.0
"""How long a worker may act on what it knows of a key; changes are promised within 5 seconds."""

ASKED_AGAIN_S: Final = 1.5
"""What is known for so long is asked for again, while it is still believed."""

_FEW: Final = 500
"""So many keys are asked for by the names of their organizations. Of more the database is asked
whether anything has changed in the whole table, and only if so what."""

_SUM: Final = select(
    func.count(),
    literal_column(
        "sum(hashtextextended(three_cx_integrations.organization_id"
        " || three_cx_integrations.xmin::text, 0))::text",
        Text,
    ),
).select_from(IntegrationRow)
"""PostgreSQL's: another pair whenever a row came, went or changed."""

_log = logging.getLogger(__name__)

Version = tuple[Any, ...]
"""Differs when anything in an integration's row has changed."""


def version_columns(dialect: str) -> list[Any]:
    """The columns that make a `Version`."""
    if dialect == "postgresql":  # the transaction that wrote the row
        return [literal_column("three_cx_integrations.xmin::text", Text).label("version")]
    row = IntegrationRow
    key = (row.key_fingerprint, row.previous_key_fingerprint, row.previous_key_expires_at)
    rest = (row.organization_name, row.default_region, row.three_cx_server_url, row.updated_at)
    settings = literal_column("three_cx_integrations.settings", Text).label("settings_text")
    return [row.enabled, *key, *rest, settings]


_LAST_S: Final = 5.0
"""Longest wait for the last query at the end."""


@dataclass(frozen=True, slots=True)
class _Known:
    integration: "Integration"
    version: Version
    read_at: float


class KnownKeys:
    """Integrations by their keys, as they were a moment ago. For any number of threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._lock = threading.Lock()
        self._confirmed_at = 0.0
        self._compared_at = 0.0
        """What was read before was compared with the database, if it was known by then."""
        self._sum: Version | None = None
        self._asking: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._known)

    def get(self, digest: bytes) -> "Integration | None":
        """The integration that a key opens, also one that is off; None says nothing of the key."""
        with self._lock:
            known = self._known.get(digest)
            if known is None:
                return None
            self._known.move_to_end(digest)
        age = time.monotonic() - max(known.read_at, self._confirmed_at)
        if age > ASKED_AGAIN_S:
            self._ask_again()
        return known.integration if age < BELIEVED_S and _is_open(known.integration) else None

    def put(
        self, digest: bytes, integration: "Integration", version: Version, read_at: float
    ) -> None:
        """Remember what was read, by a query that began at ``read_at`` (`time.monotonic`)."""
        with self._lock:
            if read_at < self._compared_at:
                return  # what was compared, it was not among
            self._known[digest] = _Known(integration, version, read_at)
            self._known.move_to_end(digest)
            if len(self._known) > MOST:
                self._known.popitem(last=False)

    def forget(self, organization_id: str) -> None:
        """Forget the keys of an organization."""
        with self._lock:
            for digest, known in list(self._known.items()):
                if known.integration.organization_id == organization_id:
                    del self._known[digest]

    def close(self) -> None:
        """Wait for a query that is under way: its connection is to be closed with the others."""
        with self._lock:
            asking = self._asking
        if asking is not None:
            asking.join(_LAST_S)

    def confirm(self) -> None:
        """Ask whether what is known still holds, and forget the rest.

        Raises `StorageUnavailableError` when the database does not answer.
        """
        began = time.monotonic()
        found = self._sum_of_all() if len(self._known) > _FEW else None
        if found is not None and found == self._sum:
            self._confirmed_at = self._compared_at = began
            return
        summed = time.monotonic()  # what was read before may be older than the sum tells
        with self._lock:
            asked = {known.integration.organization_id for known in self._known.values()}
        versions = self._versions(asked)
        with self._lock:
            for digest, known in list(self._known.items()):
                version = versions.get(known.integration.organization_id)
                if known.read_at < summed and known.version != version:
                    del self._known[digest]
            self._confirmed_at, self._compared_at, self._sum = began, summed, found

    def _sum_of_all(self) -> Version | None:
        """What differs when anything has changed; None where nothing tells it."""
        if self._database.dialect != "postgresql":
            return None
        with self._database.read_all_organizations() as session:
            return tuple(session.execute(_SUM).one())

    def _versions(self, organizations: Collection[str]) -> Mapping[str, Version]:
        owner = col(IntegrationRow.organization_id)
        read = select(owner, *version_columns(self._database.dialect))
        if len(organizations) <= _FEW:
            read = read.where(owner.in_(organizations))
        with self._database.read_all_organizations() as session:
            return {row[0]: tuple(row[1:]) for row in session.execute(read)}

    def _ask_again(self) -> None:
        """In a thread: nobody who calls just now waits for it."""
        with self._lock:
            if self._asking is None or not self._asking.is_alive():  # in a fork it is not
                thread = threading.Thread(target=self._asked, name="threecx-keys", daemon=True)
                thread.start()
                self._asking = thread

    def _asked(self) -> None:
        try:
            self.confirm()
        except StorageUnavailableError as ex:  # the keys are forgotten; who asks next is told
            _log.debug("Keys cannot be confirmed.", extra={"reason": ex.message})
        except Exception:
            _log.exception("Keys cannot be confirmed.")


def _is_open(integration: "Integration") -> bool:
    """Whether a replaced key is within its grace period still."""
    expires_at = integration.previous_key_expires_at
    return not integration.key_is_replaced or (expires_at is not None and utc_now() < expires_at)
