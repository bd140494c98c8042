"""What is read and written many rows at a time, past SQLAlchemy's unit of work, stays in the
organization of its session."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callhelm_threecx import models
from callhelm_threecx.confinement import (
    CrossOrganizationError,
    PreparedRead,
    fetch_within,
    insert_many,
)
from callhelm_threecx.db import Database
from callhelm_threecx.models import ContactRow

C: Any = ContactRow
NAMES = PreparedRead(select(C.first_name))
NEW = {"email": "", "company": "", "last_name": "", "search_text": "", "source": ""}
INSTANTS = ("last_active_at", "created_at", "updated_at")


@pytest.fixture(autouse=True)
def _contacts(database: Database) -> None:
    """Two organizations, each with a contact named like it."""
    for organization in ("ours", "theirs"):
        with database.write(organization) as session:
            session.add(ContactRow(organization_id=organization, first_name=organization))


def everything(database: Database) -> list[tuple[str, str]]:
    with database.read_all_organizations() as session:
        return sorted(
            (one, name) for one, name in session.execute(select(C.organization_id, C.first_name))
        )


def insert_named(session: Session, *first_names: str, **others: str) -> None:
    columns = ["id", "first_name", *INSTANTS, *NEW, *others]
    now = models.utc_now()
    rows = [
        (models.new_id(), name, now, now, now, *NEW.values(), *others.values())
        for name in first_names
    ]
    insert_many(session, ContactRow, columns, rows)


def test_many_rows_at_once_belong_to_the_organization_of_the_session(database: Database) -> None:
    with database.write("ours") as session:
        insert_named(session, "one", "two\t\\N\n")
    assert everything(database) == [
        ("ours", "one"),
        ("ours", "ours"),
        ("ours", "two\t\\N\n"),
        ("theirs", "theirs"),
    ]


def test_many_rows_give_no_organization_of_their_own(database: Database) -> None:
    with pytest.raises(CrossOrganizationError), database.write("ours") as session:
        insert_named(session, "one", organization_id="theirs")
    assert everything(database) == [("ours", "ours"), ("theirs", "theirs")]


def test_a_prepared_read_in_a_transaction_sees_its_rows_and_no_stranger_s(
    database: Database,
) -> None:
    with database.write("ours") as session:
        session.add(ContactRow(organization_id="ours", first_name="pending"))
        found = fetch_within(session, NAMES, {})
    assert sorted(found) == [("ours",), ("pending",)]


def test_many_rows_of_which_one_is_there_already_are_all_refused(database: Database) -> None:
    with database.write("ours") as session:
        insert_named(session, "kept", identity="same")
    with pytest.raises(IntegrityError), database.write("ours") as session:
        insert_named(session, "new", "refused", identity="same")
    assert sorted(name for _, name in everything(database)) == ["kept", "ours", "theirs"]
