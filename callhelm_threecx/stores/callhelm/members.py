"""The host's users as the agents of calls: members of an organization, with their profiles."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from callhelm_threecx.stores.base import Member
from callhelm_threecx.stores.callhelm.ids import uuid_text
from callhelm_threecx.stores.callhelm.schema import HostTables

_EXTENSIONS = ("three_cx_extension", "extension")


def every_member(session: Session, tables: HostTables) -> list[Member]:
    """The active members of the session's organization, by id."""
    return _read(session, tables, [])


def find_members(
    session: Session,
    tables: HostTables,
    *,
    ids: Sequence[str] = (),
    extension: str = "",
    emails: Sequence[str] = (),
) -> list[Member]:
    """See `callhelm_threecx.stores.base.Members.find_members_within`."""
    members = tables.members
    wanted: list[ColumnElement[bool]] = []
    known_ids = [text for text in map(uuid_text, ids) if text is not None]
    if known_ids:
        wanted.append(members.row.id.in_(known_ids))
    if extension:
        columns = [members.column(name) for name in _EXTENSIONS if members.has(name)]
        wanted += [func.btrim(column) == extension for column in columns]
    folded = [email.strip().lower() for email in emails if email.strip()]
    if folded:
        wanted.append(func.lower(members.row.profile_email).in_(folded))
    return _read(session, tables, [or_(*wanted)]) if wanted else []


def _read(
    session: Session, tables: HostTables, conditions: Sequence[ColumnElement[bool]]
) -> list[Member]:
    members = tables.members
    if members.has("is_active"):
        conditions = [*conditions, members.row.is_active.is_(True)]
    statement = (
        select(
            members.row.id,
            members.row.profile_email,
            members.column("profile_full_name"),
            members.column("three_cx_extension"),
            members.column("extension"),
        )
        .where(*conditions)
        .order_by(members.row.id)
    )
    return [_member(row) for row in session.execute(statement)]


def _member(row: Any) -> Member:
    key, email, name, three_cx_extension, extension = row
    return Member(
        id=key,
        email=(email or "").strip(),
        name=(name or "").strip(),
        three_cx_extension=(three_cx_extension or "").strip(),
        extension=(extension or "").strip(),
    )
