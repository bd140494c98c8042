"""The host's own reading of its tables. Every question is asked for a signed-in person, and is
answered from the organizations of that person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import create_engine, text

from callhelm_threecx.settings import database_url

Row = Mapping[str, Any]

PAGE: Final = 200
"""Most rows of a page."""


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization that a person may see, and as what."""

    organization_id: str
    organization: str
    role: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in user. Without any membership there is nothing to see."""

    user_id: str
    name: str
    email: str
    is_system_admin: bool
    memberships: tuple[Membership, ...]

    @property
    def organization_ids(self) -> list[UUID]:
        """The organizations whose rows this person may see."""
        return [UUID(membership.organization_id) for membership in self.memberships]


class HostDatabase:
    """Questions to the host's tables. Nothing connects before the first one."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(database_url(url), pool_pre_ping=True)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def credentials(self, email: str) -> tuple[str, str] | None:
        """The id and the sealed password of who signs in with this address, whatever its case."""
        rows = self._rows(
            "SELECT u.id, u.encrypted_password FROM auth.users u JOIN profiles p ON p.id = u.id"
            " WHERE lower(p.email) = lower(:email)",
            email=email,
        )
        return (str(rows[0]["id"]), rows[0]["encrypted_password"]) if rows else None

    def person(self, user_id: str) -> Person | None:
        """A user with the organizations in which they are an active member; a system administrator
        sees every organization. None for nobody, and for who has nothing to see."""
        rows = self._rows(
            "SELECT p.id, p.full_name, p.email, p.is_system_admin, o.id AS organization_id,"
            " o.name AS organization, CAST(m.role AS text) AS role"
            " FROM profiles p CROSS JOIN organizations o LEFT JOIN organization_members m"
            " ON m.user_id = p.id AND m.organization_id = o.id AND m.is_active"
            " WHERE p.id = :user_id AND (m.id IS NOT NULL OR p.is_system_admin) ORDER BY o.name",
            user_id=UUID(user_id),
        )
        if not rows:
            return None
        first = rows[0]
        return Person(
            user_id=str(first["id"]),
            name=first["full_name"] or first["email"],
            email=first["email"],
            is_system_admin=first["is_system_admin"],
            memberships=tuple(
                Membership(str(row["organization_id"]), row["organization"], row["role"])
                for row in rows
            ),
        )

    def contacts(self, person: Person, query: str = "") -> Sequence[Row]:
        """The contacts that a person may see, by name; those in which the query occurs."""
        return self._rows(
            "SELECT c.*, o.name AS organization FROM contacts c"
            " JOIN organizations o ON o.id = c.organization_id"
            " WHERE c.organization_id = ANY(:organizations)"
            " AND concat_ws(' ', c.full_name, c.company, c.email, c.phone_number) ILIKE :pattern"
            " ORDER BY c.full_name, c.company, c.id LIMIT :page",
            organizations=person.organization_ids,
            pattern=f"%{_literal(query)}%",
            page=PAGE,
        )

    def contact(self, person: Person, contact_id: UUID) -> Row | None:
        """One contact, or None when it is not there or not this person's to see."""
        rows = self._rows(
            "SELECT c.*, o.name AS organization FROM contacts c"
            " JOIN organizations o ON o.id = c.organization_id"
            " WHERE c.organization_id = ANY(:organizations) AND c.id = :contact_id",
            organizations=person.organization_ids,
            contact_id=contact_id,
        )
        return rows[0] if rows else None

    def calls(self, person: Person, contact_id: UUID | None = None) -> Sequence[Row]:
        """The calls that a person may see, the newest first: all, or those with one contact."""
        return self._rows(
            "SELECT k.*, o.name AS organization, p.full_name AS member,"
            " coalesce(nullif(c.full_name, ''), c.company) AS contact FROM calls k"
            " JOIN organizations o ON o.id = k.organization_id"
            " LEFT JOIN contacts c ON c.id = k.contact_id"
            " LEFT JOIN organization_members m ON m.id = k.member_id"
            " LEFT JOIN profiles p ON p.id = m.user_id"
            " WHERE k.organization_id = ANY(:organizations)"
            " AND (CAST(:contact_id AS uuid) IS NULL OR k.contact_id = :contact_id)"
            " ORDER BY k.start_time DESC, k.id LIMIT :page",
            organizations=person.organization_ids,
            contact_id=contact_id,
            page=PAGE,
        )

    def _rows(self, statement: str, **parameters: Any) -> Sequence[Row]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]


def _literal(query: str) -> str:
    """A query in which every character means itself, also those that LIKE has a use for."""
    for special in ("\\", "%", "_"):
        query = query.replace(special, f"\\{special}")
    return query
