"""The integration of each organization: its key, whether it is on, how it behaves."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx import contact_links, keys
from callhelm_threecx.confinement import PreparedRead, insert_unless_present
from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import NotFoundError, StorageUnavailableError
from callhelm_threecx.models import IntegrationRow, utc_now
from callhelm_threecx.services.audit import PROGRAM, Actor
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.services.known_keys import KnownKeys, Version, version_columns
from callhelm_threecx.stores.base import Organization

MAX_GRACE_MINUTES: Final = 7 * 24 * 60

DEFAULT_SETTINGS: Final[Mapping[str, bool]] = {
    "call_journaling_enabled": True,
    "chat_journaling_enabled": True,
    "contact_creation_enabled": True,
    "auto_create_contacts": False,
}

CONTACT_URL: Final = "contact_url"
"""The setting with the pattern of an organization's contact links; empty, the server's is taken."""

_ENCRYPTED_KEY: Final = PreparedRead(select(col(IntegrationRow.key_encrypted)))
_log = logging.getLogger(__name__)


class KeyState(str, Enum):
    """What is known of a key that was shown. Only our log tells the refused ones apart."""

    VALID = "valid"
    DISABLED = "disabled"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Integration:
    """One organization's integration, as everything but set-up sees it: without its key.

    ``key_is_replaced`` says that it was found by its previous key, in the grace period.
    """

    organization_id: str
    organization_name: str
    enabled: bool
    region: str
    three_cx_server_url: str | None
    key_hint: str
    key_created_at: datetime
    previous_key_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    settings: dict[str, Any] = field(default_factory=dict)
    key_is_replaced: bool = False

    @property
    def organization(self) -> Organization:
        """The organization as a contact store needs it."""
        return Organization(self.organization_id, self.region)

    def allows(self, feature: str) -> bool:
        """Whether a feature of `DEFAULT_SETTINGS` is on."""
        return bool(self.settings[feature])

    @property
    def contact_url(self) -> str:
        """The organization's own pattern for contact links; empty for the server's. What an earlier
        integration left under that name counts only when it is such a pattern."""
        pattern = self.settings.get(CONTACT_URL)
        return str(pattern) if contact_links.is_pattern(pattern) else ""


@dataclass(frozen=True, slots=True)
class Change:
    """What `Integrations.change` sets; None leaves as it is, an empty text clears."""

    enabled: bool | None = None
    three_cx_server_url: str | None = None
    default_region: str | None = None
    organization_name: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


class Integrations:
    """Creates, reads and changes integrations, and knows whose key a key is."""

    def __init__(self, database: Database, ring: keys.KeyRing, default_region: str) -> None:
        self._database = database
        self._ring = ring
        self._default_region = default_region
        # By `keys.digest` of the key: its fingerprint takes ten times as long to compute.
        self._known = KnownKeys(database)

    def authenticate(self, api_key: str) -> tuple[KeyState, Integration | None]:
        """Whose key this is. A key of nobody costs the same query, whatever its shape."""
        digest = keys.digest(api_key)
        known = self._known.get(digest)
        if known is None:
            read_at = time.monotonic()
            found = self._find(self._ring.fingerprints(api_key))
            if found is None:
                well_formed = keys.is_well_formed(api_key)
                return (KeyState.UNKNOWN if well_formed else KeyState.MALFORMED), None
            known, version = found
            self._known.put(digest, known, version, read_at)
        return (KeyState.VALID if known.enabled else KeyState.DISABLED), known

    def close(self) -> None:
        """End what goes on behind the requests."""
        self._known.close()

    def known(self, api_key: str) -> Integration | None:
        """The integration that a key opens, if it is on and was asked for a moment ago; None says
        nothing about the key."""
        known = self._known.get(keys.digest(api_key))
        return known if known is not None and known.enabled else None

    @retry_when_passing
    def _find(self, fingerprints: Sequence[str]) -> tuple[Integration, Version] | None:
        current = col(IntegrationRow.key_fingerprint).in_(fingerprints)
        previous = col(IntegrationRow.previous_key_fingerprint).in_(fingerprints)
        with self._database.read_all_organizations() as session:
            version = version_columns(self._database.dialect)
            found = session.execute(select(IntegrationRow, *version).where(or_(current, previous)))
            for row, *version in found:
                is_current = _is_current_key(row, fingerprints)
                if is_current or _is_in_grace(row):
                    known = replace(self._integration(row), key_is_replaced=not is_current)
                    return known, tuple(version)
        return None

    def set_up(
        self,
        organization_id: str,
        *,
        grace_minutes: int = 0,
        organization_name: str | None = None,
        by: Actor = PROGRAM,
    ) -> tuple[Integration, str]:
        """Create an organization's integration, or give it a new key: (integration, clear key).

        The old key stops at once, unless ``grace_minutes`` let it live on beside the new one.
        """
        api_key = keys.generate_api_key()
        now = utc_now()
        with self._database.write(organization_id) as session:
            row, is_new = self._own_row(session, organization_id)
            action = "create" if is_new else "rotate_key"
            if grace_minutes > 0 and not is_new:
                row.previous_key_fingerprint = row.key_fingerprint
                row.previous_key_expires_at = now + timedelta(minutes=grace_minutes)
            else:
                row.previous_key_fingerprint = row.previous_key_expires_at = None
            row.key_fingerprint = self._ring.fingerprint(api_key)
            row.key_encrypted = self._ring.encrypt(api_key, organization_id)
            row.key_hint = keys.key_hint(api_key)
            row.key_created_at = row.updated_at = now
            if organization_name is not None:
                row.organization_name = organization_name
            detail = {"action": action, "graceMinutes": grace_minutes, **by.detail()}
            session.add(Event(organization_id, EventType.SETUP, raw_data=detail).row())
            session.flush()
            integration = self._integration(row)
        self._known.forget(organization_id)
        return integration, api_key

    def change(self, organization_id: str, change: Change, *, by: Actor = PROGRAM) -> Integration:
        """Change what is given; settings are merged. Raises `NotFoundError` before set-up."""
        with self._database.write(organization_id) as session:
            row = self._row(session, for_update=True)
            if row is None:
                raise NotFoundError("This organization has no integration.")
            if change.enabled is not None:
                row.enabled = change.enabled
            if change.organization_name is not None:
                row.organization_name = change.organization_name
            for name in ("three_cx_server_url", "default_region"):
                value = getattr(change, name)
                if value is not None:
                    setattr(row, name, value or None)
            row.settings = {**row.settings, **change.settings}
            row.updated_at = utc_now()
            detail: dict[str, Any] = {
                "action": "change",
                "settings": dict(change.settings),
                **by.detail(),
            }
            if change.enabled is not None:
                detail["enabled"] = change.enabled
            session.add(Event(organization_id, EventType.SETUP, raw_data=detail).row())
            session.flush()
            integration = self._integration(row)
        self._known.forget(organization_id)
        return integration

    @retry_when_passing
    def get(self, organization_id: str) -> Integration | None:
        """The integration of an organization, or None before set-up."""
        with self._database.read(organization_id) as session:
            row = self._row(session)
            return self._integration(row) if row else None

    @retry_when_passing
    def all(self) -> list[Integration]:
        """Every integration, by organization."""
        ordered = select(IntegrationRow).order_by(col(IntegrationRow.organization_id))
        with self._database.read_all_organizations() as session:
            return [self._integration(row) for row in session.execute(ordered).scalars()]

    def clear_key(self, organization_id: str) -> str:
        """The key in clear, for a template. Raises `NotFoundError` before set-up and
        `keys.UndecipherableError` when no configured secret key decrypts it."""
        rows = self._database.fetch(organization_id, _ENCRYPTED_KEY, {})
        if not rows:
            raise NotFoundError("This organization has no integration.")
        return self._ring.decrypt(rows[0][0], organization_id)

    def reencrypt(self) -> int:
        """Encrypt and fingerprint every key with the ring's first secret key; how many changed.

        Afterwards the later secret keys may go. A key in its grace period keeps the fingerprint
        that it has: it is not stored in clear anywhere, so it cannot be computed anew.
        """
        changed = 0
        for integration in self.all():
            organization_id = integration.organization_id
            with self._database.write(organization_id) as session:
                row = self._row(session, for_update=True)
                if row is None:
                    continue
                api_key = self._ring.decrypt(row.key_encrypted, organization_id)
                row.key_encrypted = self._ring.encrypt(api_key, organization_id)
                changed += row.key_fingerprint != self._ring.fingerprint(api_key)
                row.key_fingerprint = self._ring.fingerprint(api_key)
        return changed

    def _own_row(self, session: Session, organization_id: str) -> tuple[IntegrationRow, bool]:
        """The row of an organization, locked, and whether it was made here; also when another
        transaction is making it just now."""
        row = self._row(session, for_update=True)
        if row is not None:
            return row, False
        nothing = {"key_fingerprint": uuid4().hex, "key_encrypted": "", "key_hint": ""}
        is_new = insert_unless_present(
            session, IntegrationRow(organization_id=organization_id, **nothing)
        )
        row = self._row(session, for_update=True)
        if row is None:
            raise StorageUnavailableError("The integration was deleted meanwhile.")
        return row, is_new

    @staticmethod
    def _row(session: Session, *, for_update: bool = False) -> IntegrationRow | None:
        statement = select(IntegrationRow)
        if for_update:
            statement = statement.with_for_update()
        return session.execute(statement).scalars().one_or_none()

    def _integration(self, row: IntegrationRow) -> Integration:
        return Integration(
            organization_id=row.organization_id,
            organization_name=row.organization_name or "",
            enabled=row.enabled,
            region=row.default_region or self._default_region,
            three_cx_server_url=row.three_cx_server_url,
            key_hint=row.key_hint,
            key_created_at=row.key_created_at,
            previous_key_expires_at=row.previous_key_expires_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            settings={**DEFAULT_SETTINGS, CONTACT_URL: "", **row.settings},
        )


def _is_current_key(row: IntegrationRow, fingerprints: Sequence[str]) -> bool:
    return any(keys.same(row.key_fingerprint, fingerprint) for fingerprint in fingerprints)


def _is_in_grace(row: IntegrationRow) -> bool:
    """Whether the row's previous key still opens."""
    expires_at = row.previous_key_expires_at
    return expires_at is not None and utc_now() < expires_at
