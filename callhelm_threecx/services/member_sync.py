"""Mappings proposed from what the CRM knows of its users: who has which extension.

Nothing is guessed: an extension that several users share, or that is mapped to somebody else
already, is told and left to a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from callhelm_threecx.models import AgentMappingRow
from callhelm_threecx.services.agents import NewMapping
from callhelm_threecx.stores.base import Member


class Proposed(str, Enum):
    """What is proposed for an extension."""

    ADD = "add"
    COMPLETE = "complete"
    KEEP = "keep"
    CONFLICT = "conflict"
    AMBIGUOUS = "ambiguous"
    STALE = "stale"

    @property
    def is_change(self) -> bool:
        """Whether applying the proposal writes something."""
        return self in {Proposed.ADD, Proposed.COMPLETE}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one extension, and why; ``mapping`` is what would be kept."""

    extension: str
    kind: Proposed
    reason: str
    members: tuple[Member, ...] = ()
    mapping: NewMapping | None = None


def propose(members: Sequence[Member], mappings: Sequence[AgentMappingRow]) -> list[Proposal]:
    """A proposal for every extension of an active member or of a mapping, by extension."""
    owners = _owners(members)
    mapped = {row.three_cx_extension: row for row in mappings}
    active = {member.id: member for member in members}
    extensions = sorted({*owners, *mapped}, key=lambda text: (len(text), text))
    return [_proposal(text, owners.get(text, ()), mapped.get(text), active) for text in extensions]


def changes(proposals: Iterable[Proposal]) -> list[NewMapping]:
    """The mappings to be kept."""
    return [p.mapping for p in proposals if p.kind.is_change and p.mapping is not None]


def _owners(members: Sequence[Member]) -> Mapping[str, tuple[Member, ...]]:
    """The members with each extension, by their addresses, so that a report reads the same each
    time: the PBX's own extension goes before one of the CRM's."""
    pbx: dict[str, list[Member]] = defaultdict(list)
    own: dict[str, list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda one: (one.email, one.name, one.id)):
        if member.three_cx_extension:
            pbx[member.three_cx_extension].append(member)
        elif member.extension:
            own[member.extension].append(member)
    return {text: tuple(pbx.get(text) or own[text]) for text in {*pbx, *own}}


def _proposal(
    extension: str,
    owners: tuple[Member, ...],
    row: AgentMappingRow | None,
    active: Mapping[str, Member],
) -> Proposal:
    if row is not None and row.agent_id:
        return _of_mapped(extension, owners, row.agent_id, active)
    if not owners:
        reason = "is mapped, but to no user, and no active user has it"
        return Proposal(extension, Proposed.STALE, reason)
    if len(owners) > 1:
        reason = f"{len(owners)} active users have it"
        return Proposal(extension, Proposed.AMBIGUOUS, reason, owners)
    mapping = _mapping(extension, owners[0])
    if row is None:
        reason = "one active user has it"
        return Proposal(extension, Proposed.ADD, reason, owners, mapping)
    if row.agent_email and row.agent_email.casefold() != owners[0].email.casefold():
        reason = f"is mapped to {row.agent_email}; a user with another address has it"
        return Proposal(extension, Proposed.CONFLICT, reason, owners)
    reason = "is mapped, but to no user; one active user has it"
    return Proposal(extension, Proposed.COMPLETE, reason, owners, mapping)


def _of_mapped(
    extension: str,
    owners: tuple[Member, ...],
    agent_id: str,
    active: Mapping[str, Member],
) -> Proposal:
    """For an extension that is mapped to a user."""
    if agent_id not in active:
        reason = "is mapped to somebody who is not an active user"
        return Proposal(extension, Proposed.STALE, reason, owners)
    if owners and agent_id not in {member.id for member in owners}:
        reason = f"is mapped to {active[agent_id].email or agent_id}; another user has it"
        return Proposal(extension, Proposed.CONFLICT, reason, owners)
    return Proposal(extension, Proposed.KEEP, "is mapped to its user", (active[agent_id],))


def _mapping(extension: str, member: Member) -> NewMapping:
    first, _, last = member.name.strip().partition(" ")
    return NewMapping(
        extension=extension,
        agent_id=member.id,
        agent_email=member.email,
        agent_first_name=first,
        agent_last_name=last.strip(),
    )
