"""Which of the rows that came from the database are really meant, and in which order."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Final

from callhelm_threecx import phone
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact
from callhelm_threecx.stores.callhelm.rows import as_new, contact_of, marked

_LONG_AGO: Final = datetime.min.replace(tzinfo=timezone.utc)


def owners(
    rows: Sequence[Any], wanted: phone.Candidates, region: str
) -> dict[int, dict[str, Contact]]:
    """The contacts that own a searched number, by rank and id, the best rank first."""
    ranked: dict[int, dict[str, Contact]] = {}
    for row in rows:
        contact = contact_of(row, region)
        rank = _rank(contact, wanted, region)
        if rank is not None:
            ranked.setdefault(rank, {})[contact.id] = marked(row, contact)
    return {rank: ranked[rank] for rank in sorted(ranked)}


def _rank(contact: Contact, wanted: phone.Candidates, region: str) -> int | None:
    """That of its best number."""
    numbers = folding.parsed_phones(as_new(contact), region)
    ranks = [wanted.rank(number.digits) for _, number in numbers]
    return min((rank for rank in ranks if rank is not None), default=None)


def named(rows: Sequence[Any], terms: Sequence[str], region: str) -> Iterator[tuple[str, Contact]]:
    """The contacts in which every term occurs, with their ids."""
    for row in rows:
        contact = contact_of(row, region)
        numbers = folding.parsed_phones(as_new(contact), region)
        text = folding.search_text(as_new(contact), numbers)
        if all(term in text for term in terms):
            yield contact.id, marked(row, contact)


def latest_first(
    contacts: Mapping[str, Contact], last_calls: Mapping[str, datetime]
) -> list[Contact]:
    """Contacts by their last activity: a change of theirs, or a call."""

    def activity(contact: Contact) -> datetime:
        changed = contact.last_active_at or _LONG_AGO
        return max(changed, last_calls.get(contact.id, changed))

    return sorted(contacts.values(), key=activity, reverse=True)
