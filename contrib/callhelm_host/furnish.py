"""Tables and rows for an empty database."""

from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from callhelm_threecx.errors import ThreeCXError

from . import passwords, people

_FOLDER: Final = Path(__file__).parent
_STEP_MINUTES: Final = 97
"""Minutes between two of the invented calls."""


class OtherTablesError(ThreeCXError):
    """The database belongs to somebody else; the example leaves it alone."""

    code = "other_tables"


def furnish(url: str) -> bool:
    """Create the host's tables and rows in one transaction; False when they are there already.

    Raises `OtherTablesError` for a database with an ``organizations`` table that this example did
    not make: nobody's own users get the example's password.
    """
    with psycopg.connect(url) as connection:
        if _is_furnished(connection):
            return False
        for name in ("schema.sql", "sign_in.sql"):
            connection.execute((_FOLDER / name).read_text(encoding="utf-8").encode())
        _organizations(connection)
        _users(connection)
        _members(connection)
        _contacts(connection)
        _calls(connection)
    return True


def _is_furnished(connection: "psycopg.Connection[Any]") -> bool:
    there = connection.execute("SELECT to_regclass('organizations') IS NOT NULL").fetchone()
    if there is None or not there[0]:
        return False
    ids = [organization.id for organization in people.ORGANIZATIONS]
    ours = connection.execute(
        "SELECT count(*) FROM organizations WHERE id = ANY(%s)", (ids,)
    ).fetchone()
    if ours is None or ours[0] != len(ids):
        raise OtherTablesError(
            "The database has an organizations table that is not this example's; "
            "name an empty database."
        )
    return True


def _organizations(connection: "psycopg.Connection[Any]") -> None:
    insert = "INSERT INTO organizations (id, name, slug, subscription_tier) VALUES (%s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.executemany(
            insert, [(o.id, o.name, o.slug, "professional") for o in people.ORGANIZATIONS]
        )


def _users(connection: "psycopg.Connection[Any]") -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO profiles (id, email, full_name, is_system_admin) VALUES (%s, %s, %s, %s)",
            [(user.id, user.email, user.name, user.is_system_admin) for user in people.users()],
        )
        cursor.executemany(
            "INSERT INTO auth.users (id, encrypted_password) VALUES (%s, %s)",
            [(user.id, passwords.seal(people.PASSWORD)) for user in people.users()],
        )


def _members(connection: "psycopg.Connection[Any]") -> None:
    insert = (
        "INSERT INTO organization_members (id, organization_id, user_id, role, extension,"
        " three_cx_extension, is_active) VALUES (%s, %s, %s, %s, %s, %s, %s)"
    )
    rows = [
        (
            member.id,
            member.organization.id,
            member.user.id,
            member.role,
            member.extension,
            member.three_cx_extension,
            member.is_active,
        )
        for member in people.MEMBERS
    ]
    with connection.cursor() as cursor:
        cursor.executemany(insert, rows)


def _contacts(connection: "psycopg.Connection[Any]") -> None:
    insert = (
        "INSERT INTO contacts (id, organization_id, first_name, last_name, company, email,"
        " phone_number, status, tags, metadata) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    )
    rows = [
        (
            contact.id,
            contact.organization.id,
            contact.first_name or None,
            contact.last_name or None,
            contact.company or None,
            contact.email,
            contact.phone_number,
            contact.status,
            list(contact.tags),
            Jsonb({"source": "address book"}),
        )
        for contact in people.contacts()
    ]
    with connection.cursor() as cursor:
        cursor.executemany(insert, rows)


def _calls(connection: "psycopg.Connection[Any]") -> None:
    """Calls of the last days, as the host itself logged them before there was a 3CX."""
    insert = (
        "INSERT INTO calls (organization_id, member_id, contact_id, direction, caller_number,"
        " called_number, start_time, end_time, duration, status, notes)"
        " SELECT %(organization)s, %(member)s, %(contact)s, %(direction)s, %(caller)s, %(called)s,"
        " began, began + %(seconds)s * interval '1 second', %(seconds)s, %(status)s, %(notes)s"
        " FROM (SELECT date_trunc('minute', now()) - %(ago)s * interval '1 minute' AS began) AS t"
    )
    with connection.cursor() as cursor:
        for organization in people.ORGANIZATIONS:
            cursor.executemany(insert, _earlier_calls(organization))


def _earlier_calls(organization: people.Organization) -> list[dict[str, Any]]:
    agents = [m for m in people.MEMBERS if m.organization == organization and m.extension]
    callers = [contact for contact in people.contacts_of(organization) if contact.rings_as][:8]
    kinds = [("inbound", "answered"), ("inbound", "missed"), ("outbound", "answered")]
    calls = []
    for n, contact in enumerate(callers):
        agent, (direction, status) = agents[n % len(agents)], kinds[n % len(kinds)]
        ends = [contact.phone_number, agent.extension]
        caller, called = ends if direction == "inbound" else reversed(ends)
        calls.append(
            {
                "organization": organization.id,
                "member": agent.id if status == "answered" else None,
                "contact": contact.id,
                "direction": direction,
                "caller": caller,
                "called": called,
                "seconds": 40 + 61 * n if status == "answered" else 0,
                "status": status,
                "notes": "Asked for a call back." if status == "missed" else None,
                "ago": (n + 1) * _STEP_MINUTES,
            }
        )
    return calls
