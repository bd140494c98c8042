"""Whose call it was.

The extension's mapping decides, then the mapping with the agent's address. A store that knows the
CRM's users (`Members`) is asked besides: a mapping counts only while its user is active, and an
agent whom nobody mapped is found among the users by extension, then by address.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Text,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.confinement import PreparedRead, fetch_within
from callhelm_threecx.models import AgentMappingRow
from callhelm_threecx.once_insert import GIVEN, owner
from callhelm_threecx.services.reports import Agent
from callhelm_threecx.stores.base import ContactStore, Member, Members


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose call it was, and ``by`` what that was found: ``extension`` and ``email`` are mapped
    ones, ``member_extension`` and ``member_email`` a user's own. ``agent_id`` is None for a mapping
    that names nobody of the CRM."""

    by: str
    agent_id: str | None
    email: str = ""
    name: str = ""


class Mapping(NamedTuple):
    """What attribution needs to know of a mapping."""

    three_cx_extension: str
    agent_id: str | None
    agent_email: str | None
    agent_first_name: str | None
    agent_last_name: str | None


Fetch = Callable[[PreparedRead, dict[str, Any]], Sequence[Sequence[Any]]]
"""Runs a prepared read in one organization."""


def attribute(session: Session, agent: Agent, store: ContactStore) -> Attribution | None:
    """Find the agent of a call in the session's organization; None for nobody, and for an extension
    or address that several users share."""
    if isinstance(store, Members):
        mappings = _mappings(agent, partial(fetch_within, session))
        return _among_members(session, agent, mappings, store)
    return by_mapping(agent, partial(fetch_within, session))


def by_mapping(agent: Agent, fetch: Fetch) -> Attribution | None:
    """The same by mappings alone, where no users are known."""
    return next((_mapped(by, mapping) for by, mapping in _mappings(agent, fetch)), None)


_SPACE: Final = literal_column("' '", Text)
_SPACES: Final = literal_column(r"E' \t\r\n'", Text)


def mapping_in_sql(*, with_email: bool) -> CTE:
    """What `by_mapping` finds, in the words of PostgreSQL, for a statement that needs it: at most
    one row, with ``by``, ``agent_id``, ``email`` and ``name``. Parameters are the statement's
    ``extension`` and, for an agent ``with_email``, that; one that is null finds nobody."""
    extension = col(AgentMappingRow.three_cx_extension)
    address = col(AgentMappingRow.agent_email)
    names = (col(AgentMappingRow.agent_first_name), col(AgentMappingRow.agent_last_name))
    name = func.btrim(func.concat_ws(_SPACE, *names), _SPACES)

    def found(by: str, condition: ColumnElement[bool]) -> Any:
        columns = (literal_column(f"'{by}'", Text).label("by"), col(AgentMappingRow.agent_id))
        return (
            select(*columns, address.label("email"), name.label("name"))
            .where(col(AgentMappingRow.organization_id) == owner(AgentMappingRow.organization_id))
            .where(condition)
            .order_by(extension)
            .limit(literal_column("1", Integer))
        )

    mapping: CTE
    by_extension = found("extension", extension == bindparam(f"{GIVEN}_extension", type_=Text))
    if not with_email:
        mapping = by_extension.cte("mapping")
        return mapping
    by_email = found("email", func.lower(address) == bindparam(f"{GIVEN}_email", type_=Text))
    either = union_all(by_extension, by_email).limit(literal_column("1", Integer))
    return either.cte("mapping")


def _mappings(agent: Agent, fetch: Fetch) -> list[tuple[str, Mapping]]:
    """The mappings that may be meant, each with what it was found by, the surest first."""
    asked = {"extension": agent.extension, "email": agent.email.lower()}
    parameters = {name: text for name, text in asked.items() if text}
    if not parameters:
        return []
    rows = [Mapping(*row) for row in fetch(_mapped_to(*parameters), parameters)]
    by_extension = [row for row in rows if row.three_cx_extension == agent.extension]
    by_email = [row for row in rows if row.three_cx_extension != agent.extension]
    return [*(("extension", row) for row in by_extension), *(("email", row) for row in by_email)]


@cache
def _mapped_to(*names: str) -> PreparedRead:
    """The mappings of an extension, or of an e-mail address, or of either."""
    known = {
        "extension": col(AgentMappingRow.three_cx_extension),
        "email": func.lower(col(AgentMappingRow.agent_email)),
    }
    wanted = or_(*(known[name] == bindparam(name, type_=Text) for name in names))
    columns = (getattr(AgentMappingRow, name) for name in Mapping._fields)
    return PreparedRead(select(*columns).where(wanted).order_by(known["extension"]))


def _mapped(by: str, mapping: Mapping) -> Attribution:
    name = f"{mapping.agent_first_name or ''} {mapping.agent_last_name or ''}".strip()
    return Attribution(by, mapping.agent_id, mapping.agent_email or "", name)


def _among_members(
    session: Session,
    agent: Agent,
    mappings: Sequence[tuple[str, Mapping]],
    store: Members,
) -> Attribution | None:
    mapped_emails = [m.agent_email for _, m in mappings if m.agent_email and not m.agent_id]
    members = store.find_members_within(
        session,
        ids=[mapping.agent_id for _, mapping in mappings if mapping.agent_id],
        extension=agent.extension,
        emails=[email for email in (agent.email, *mapped_emails) if email],
    )
    for by, mapping in mappings:
        member = _member_of(mapping, members)
        if member is not None:
            return _by_member(by, member)
    own = _with_extension(agent.extension, members)
    if own is not None:
        return _by_member("member_extension", own)
    own = _with_email(agent.email, members)
    if own is not None:
        return _by_member("member_email", own)
    nameless = (pair for pair in mappings if not pair[1].agent_id)  # of nobody in the CRM
    return next((_mapped(by, mapping) for by, mapping in nameless), None)


def _member_of(mapping: Mapping, members: Sequence[Member]) -> Member | None:
    """The active user whom a mapping names, by id or, without one, by address."""
    if mapping.agent_id:
        return next((member for member in members if member.id == mapping.agent_id), None)
    return _with_email(mapping.agent_email or "", members)


def _with_extension(extension: str, members: Sequence[Member]) -> Member | None:
    """The one user with this extension: the PBX's own before the CRM's."""
    if not extension:
        return None
    pbx = [member for member in members if member.three_cx_extension == extension]
    return _only(pbx or [member for member in members if member.extension == extension])


def _with_email(email: str, members: Sequence[Member]) -> Member | None:
    folded = email.lower()
    return _only([m for m in members if m.email.lower() == folded]) if folded else None


def _only(members: Sequence[Member]) -> Member | None:
    return members[0] if len(members) == 1 else None


def _by_member(by: str, member: Member) -> Attribution:
    return Attribution(by, member.id, member.email, member.name)
