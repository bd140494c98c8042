"""Whose call it was.

The extension's mapping decides, then the mapping with the agent's address. A store that knows the
CRM's users (`Members`) is asked besides: a mapping counts only while its user is active, and an
agent whom nobody mapped is found among the users by extension, then by address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from callhelm_threecx.models import AgentMappingRow
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


def attribute(session: Session, agent: Agent, store: ContactStore) -> Attribution | None:
    """Find the agent of a call in the session's organization; None for nobody, and for an extension
    or address that several users share."""
    mappings = _mappings(session, agent)
    if isinstance(store, Members):
        return _among_members(session, agent, mappings, store)
    return next((_mapped(by, mapping) for by, mapping in mappings), None)


def _mappings(session: Session, agent: Agent) -> list[tuple[str, AgentMappingRow]]:
    """The mappings that may be meant, each with what it was found by, the surest first."""
    conditions = []
    if agent.extension:
        conditions.append(col(AgentMappingRow.three_cx_extension) == agent.extension)
    if agent.email:
        folded = func.lower(col(AgentMappingRow.agent_email))
        conditions.append(folded == agent.email.lower())
    if not conditions:
        return []
    statement = select(AgentMappingRow).where(or_(*conditions))
    ordered = statement.order_by(col(AgentMappingRow.three_cx_extension))
    rows = session.execute(ordered).scalars().all()
    by_extension = [row for row in rows if row.three_cx_extension == agent.extension]
    by_email = [row for row in rows if row.three_cx_extension != agent.extension]
    return [*(("extension", row) for row in by_extension), *(("email", row) for row in by_email)]


def _mapped(by: str, mapping: AgentMappingRow) -> Attribution:
    name = f"{mapping.agent_first_name or ''} {mapping.agent_last_name or ''}".strip()
    return Attribution(by, mapping.agent_id, mapping.agent_email or "", name)


def _among_members(
    session: Session,
    agent: Agent,
    mappings: Sequence[tuple[str, AgentMappingRow]],
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


def _member_of(mapping: AgentMappingRow, members: Sequence[Member]) -> Member | None:
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
