"""Whose number it is, in words of SQL: for a statement that records a call."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlmodel import col
from typing_extensions import Unpack

from callhelm_threecx.models import ContactPhoneRow, ContactRow
from callhelm_threecx.once_insert import GIVEN, owner
from callhelm_threecx.phone import Candidates

_ONE: Final = literal_column("1", Integer)


def owner_in_sql(tails: int, *, named: bool) -> CTE:
    """The contact with an id, where one is ``named``, or, without one of the organization's own,
    the first of those whom `SqlContactStore.find_by_number` finds exactly: at most one row, with
    ``id`` and ``by``, which is ``id`` or ``number``. In the words of PostgreSQL; `owner_parameters`
    makes the parameters."""
    contact, number = col(ContactRow.id), col(ContactPhoneRow.tail)
    wanted = [bindparam(f"{GIVEN}_tail_{index}", type_=Text) for index in range(tails)]
    by_id = (
        _found("id")
        .where(contact == bindparam(f"{GIVEN}_contact", type_=Uuid))
        .where(col(ContactRow.organization_id) == owner(ContactRow.organization_id))
        .limit(_ONE)
    )
    by_number = (
        _found("number")
        .join(ContactPhoneRow, col(ContactPhoneRow.contact_id) == contact)
        .where(col(ContactPhoneRow.organization_id) == owner(ContactPhoneRow.organization_id))
        .where(col(ContactRow.organization_id) == owner(ContactRow.organization_id))
        .where(number.in_(wanted))
        .order_by(
            func.array_position(array(wanted), number),
            *(column.desc() for column in (col(ContactRow.last_active_at), contact)),
        )
        .limit(_ONE)
    )
    found = union_all(by_id, by_number).limit(_ONE) if named else by_number
    return found.cte("owner")


def owner_parameters(
    wanted: Candidates | None, contact_id: str | None
) -> tuple[int, dict[str, str | None]]:
    """How many tails `owner_in_sql` is asked with, and its parameters: ``contact_id`` must be an
    id, or None."""
    tails = tail_parameters(wanted.exact_tails if wanted is not None else ())
    return len(tails), {**tails, "contact": contact_id}


def tail_parameters(tails: Sequence[str]) -> dict[str, str | None]:
    """The tails as parameters ``tail_0`` and so on, the last one again up to the next power of two:
    few statements serve any number of readings. Without tails one that finds nobody."""
    number = 1 << max(0, len(tails) - 1).bit_length()
    return {f"tail_{at}": tails[min(at, len(tails) - 1)] if tails else None for at in range(number)}


def _found(by: str) -> "Select[Unpack[tuple[Any, ...]]]":
    return select(col(ContactRow.id), literal_column(f"'{by}'", Text).label("by"))
