"""The identity of a contact: what a unique constraint tells two created contacts apart by."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import NewContact
from callhelm_threecx.stores.sql_known import reads

Settled = tuple[str | None, NewContact, Sequence[folding.ParsedPhone]]
"""The identity that a contact has so far, and what is kept of it from now on."""


def settled_identities(session: Session, contacts: Iterable[Settled]) -> list[str | None]:
    """The identity of each contact, by which no second one like it is created.

    That is the one that it has, as long as one of its numbers still says so, else the first that no
    other contact has: two that have several numbers in common keep apart. A contact with an
    external id needs none.
    """
    wanted: list[tuple[str | None, Sequence[str]]] = []
    for identity, contact, numbers in contacts:
        possible = [] if contact.external_id else folding.identities(contact, numbers)
        wanted.append((identity, (identity,) if identity in possible else possible))
    sought = {each for identity, possible in wanted for each in possible if each != identity}
    taken = {row[0] for row in reads(session.get_bind().dialect.name).identities(session, sought)}
    return [_taking(identity, possible, taken) for identity, possible in wanted]


def _taking(identity: str | None, possible: Sequence[str], taken: set[str]) -> str | None:
    free = (each for each in possible if each == identity or each not in taken)
    chosen = next(free, None)
    if chosen is not None:
        taken.add(chosen)
    return chosen
