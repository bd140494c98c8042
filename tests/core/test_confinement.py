"""A session of one organization cannot see, change or plant another one's rows."""

import ast
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Table,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from callhelm_threecx import models
from callhelm_threecx.confinement import (
    CrossOrganizationError,
    insert_unless_present,
)
from callhelm_threecx.db import Database
from callhelm_threecx.models import AgentMappingRow, ContactRow, organization_tables

PACKAGE = Path(models.__file__).parent.parent
C: Any = ContactRow
A: Any = AgentMappingRow
T: Table = ContactRow.__table__  # type: ignore[attr-defined]
OTHER: Any = aliased(ContactRow)

Ids = dict[str, uuid.UUID]


@pytest.fixture
def ids(database: Database) -> Ids:
    """Two organizations, each with a contact named like it, and an agent."""
    kept = {}
    for organization in ("ours", "theirs"):
        with database.write(organization) as session:
            row = ContactRow(organization_id=organization, first_name=organization)
            agent = AgentMappingRow(organization_id=organization, three_cx_extension="1")
            session.add_all([row, agent])
            kept[organization] = row.id
    return kept


def everything(database: Database) -> list[tuple[str, str]]:
    with database.read_all_organizations() as session:
        rows = session.execute(select(C.organization_id, C.first_name).order_by(C.organization_id))
        return [(owner, name) for owner, name in rows]


UNTOUCHED = [("ours", "ours"), ("theirs", "theirs")]

SEEING_OURS = {
    "columns": lambda _: select(C.first_name),
    "an alias": lambda _: select(OTHER.first_name),
    "a subquery": lambda _: select(select(C.first_name).subquery().c.first_name),
    "a common table": lambda _: select(select(C.first_name).cte().c.first_name),
    "a nested subquery": lambda _: select(
        aliased(ContactRow, select(C).order_by(C.id).limit(9).subquery()).first_name
    ),
    "a disjunction": lambda ids: select(C.first_name).where(
        or_(C.id == ids["ours"], C.id == ids["theirs"], true())
    ),
    "a join": lambda _: select(C.first_name).join(A, true()),
    "a join to oneself": lambda _: select(OTHER.first_name).select_from(C).join(OTHER, true()),
    "a class over a bare subquery": lambda _: select(
        aliased(ContactRow, select(T).subquery()).first_name
    ),
    "a list of ids": lambda _: select(C.first_name).where(C.id.in_(select(OTHER.id))),
}


@pytest.mark.parametrize("way", SEEING_OURS)
def test_a_select_sees_the_own_rows_only(database: Database, ids: Ids, way: str) -> None:
    with database.read("ours") as session:
        found = session.execute(SEEING_OURS[way](ids)).scalars().all()
    assert found == ["ours"]


SEEING_NOTHING = {
    "their id": lambda ids: select(C.first_name).where(C.id == ids["theirs"]),
    "their organization": lambda _: select(C.first_name).where(C.organization_id == "theirs"),
    "an outer join": lambda _: (
        select(OTHER.first_name)
        .select_from(C)
        .outerjoin(OTHER, OTHER.organization_id != C.organization_id)
    ),
    "a scalar subquery": lambda ids: select(
        select(C.first_name).where(C.id == ids["theirs"]).scalar_subquery()
    ),
    "a scalar subquery beside a row": lambda ids: select(
        select(C.first_name).where(C.id == ids["theirs"]).scalar_subquery()
    ).select_from(A),
    "existence": lambda ids: select(literal("there")).where(
        exists(select(C.id).where(C.id == ids["theirs"]))
    ),
}


@pytest.mark.parametrize("way", SEEING_NOTHING)
def test_a_select_for_their_rows_gives_nothing(database: Database, ids: Ids, way: str) -> None:
    with database.read("ours") as session:
        found = session.execute(SEEING_NOTHING[way](ids)).scalars().all()
    assert [value for value in found if value is not None] == []


def test_counts_and_unions_are_confined(database: Database, ids: Ids) -> None:
    names = union_all(select(C.first_name), select(OTHER.first_name)).subquery()
    with database.read("ours") as session:
        assert session.execute(select(func.count()).select_from(C)).scalar() == 1
        inner = select(func.count()).select_from(select(C).subquery())
        assert session.execute(inner).scalar() == 1
        assert session.execute(select(names.c.first_name)).scalars().all() == ["ours", "ours"]


def test_a_row_is_got_by_its_own_organization_only(database: Database, ids: Ids) -> None:
    with database.read("ours") as session:
        assert session.get(ContactRow, ids["ours"]) is not None
        assert session.get(ContactRow, ids["theirs"]) is None
        with_default = session.get(ContactRow, ids["theirs"], populate_existing=True)
        assert with_default is None


REFUSED_READS = {
    "SQL text": lambda _: text("SELECT first_name FROM three_cx_contacts"),
    "a bare table": lambda _: select(T.c.first_name),
    "a bare table beside a class": lambda _: select(A.id, T.c.first_name).join(T, true()),
    "a bare alias beside a class": lambda _: select(A.id, T.alias().c.first_name).join(T, true()),
    "a bare table that only multiplies": lambda _: select(A.id).join(T, true()),
    "a table by name": lambda _: select(A.id, column("first_name")).select_from(
        A, table("three_cx_contacts")
    ),
    "a bare subquery": lambda ids: select(
        A.id, select(T.c.first_name).where(T.c.id == ids["theirs"]).scalar_subquery()
    ),
    "bare existence": lambda _: select(A.id).where(exists(select(T.c.id))),
    "SQL text as condition": lambda _: select(C.first_name).where(text("1=1) OR (1=1")),
    "SQL text as statement": lambda _: select(C.first_name).from_statement(
        text("SELECT first_name FROM three_cx_contacts")
    ),
    "a bare select as statement": lambda _: select(C).from_statement(select(T)),
}


@pytest.mark.parametrize("way", REFUSED_READS)
def test_what_cannot_be_filtered_is_refused(database: Database, ids: Ids, way: str) -> None:
    with database.read("ours") as session, pytest.raises(CrossOrganizationError):
        session.execute(REFUSED_READS[way](ids))


OWN_WRITES: dict[str, tuple[Callable[[Ids], Any], list[tuple[str, str]]]] = {
    "update": (lambda _: update(C).values(first_name="new"), [("ours", "new"), UNTOUCHED[1]]),
    "update by id": (
        lambda ids: update(C).where(C.id == ids["theirs"]).values(first_name="new"),
        UNTOUCHED,
    ),
    "delete": (lambda _: delete(C), [UNTOUCHED[1]]),
    "delete by id": (lambda ids: delete(C).where(C.id == ids["theirs"]), UNTOUCHED),
    "delete by a list": (
        lambda ids: delete(C).where(C.id.in_([ids["theirs"]])),
        UNTOUCHED,
    ),
}


@pytest.mark.parametrize("way", OWN_WRITES)
def test_an_update_or_delete_reaches_the_own_rows_only(
    database: Database, ids: Ids, way: str
) -> None:
    statement, expected = OWN_WRITES[way]
    with database.write("ours") as session:
        session.execute(statement(ids), execution_options={"synchronize_session": False})
    assert everything(database) == expected


def their_row(ids: Ids) -> ContactRow:
    return ContactRow(id=ids["theirs"], organization_id="ours", first_name="stolen")


def move(session: Session, ids: Ids) -> None:
    row = session.get_one(ContactRow, ids["ours"])
    row.organization_id = "theirs"
    session.flush()


REFUSED_WRITES: dict[str, Callable[[Session, Ids], object]] = {
    "adding a row of theirs": lambda s, _: (s.add(C(organization_id="theirs")), s.flush()),
    "adding a row of nobody": lambda s, _: (
        s.add(models.EventRow(event_type="lookup")),
        s.flush(),
    ),
    "moving a row to them": move,
    "moving rows to them by UPDATE": lambda s, _: s.execute(
        update(C).values(organization_id="theirs")
    ),
    "an UPDATE of many by id": lambda s, ids: s.execute(
        update(C), [{"id": ids["theirs"], "first_name": "x"}]
    ),
    "INSERT": lambda s, _: s.execute(insert(C).values(organization_id="theirs")),
    "INSERT into a bare table": lambda s, _: s.execute(insert(T).values(organization_id="theirs")),
    "INSERT unless present": lambda s, _: insert_unless_present(s, C(organization_id="theirs")),
    "UPDATE of a bare table": lambda s, _: s.execute(update(T).values(first_name="x")),
    "DELETE from a bare table": lambda s, _: s.execute(delete(T)),
    "an UPDATE that reads a bare table": lambda s, ids: s.execute(
        update(C).values(
            first_name=select(T.c.first_name).where(T.c.id == ids["theirs"]).scalar_subquery()
        )
    ),
    "SQL text": lambda s, _: s.execute(text("DELETE FROM three_cx_contacts")),
    "the connection": lambda s, _: s.connection(),
    "saving in bulk": lambda s, _: s.bulk_save_objects([C(organization_id="theirs")]),
    "inserting in bulk": lambda s, _: s.bulk_insert_mappings(C, [{"organization_id": "theirs"}]),
    "updating in bulk": lambda s, ids: s.bulk_update_mappings(C, [{"id": ids["theirs"]}]),
}


@pytest.mark.parametrize("way", REFUSED_WRITES)
def test_a_write_beyond_the_organization_is_refused(database: Database, ids: Ids, way: str) -> None:
    with pytest.raises(CrossOrganizationError), database.write("ours") as session:
        REFUSED_WRITES[way](session, ids)
    assert everything(database) == UNTOUCHED


@pytest.mark.parametrize("put", [Session.add, Session.merge])
def test_a_row_cannot_be_taken_over_by_its_id(
    database: Database, ids: Ids, put: Callable[[Session, ContactRow], object]
) -> None:
    with pytest.raises(IntegrityError), database.write("ours") as session:
        put(session, their_row(ids))
    assert everything(database) == UNTOUCHED


def test_nothing_of_a_failed_transaction_remains(database: Database, ids: Ids) -> None:
    def fail() -> None:
        with database.write("ours") as session:
            session.execute(update(C).values(first_name="new"))
            session.add(ContactRow(organization_id="ours", first_name="more"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert everything(database) == UNTOUCHED


def test_every_table_with_data_of_organizations_belongs_to_them() -> None:
    confined = {str(row.__tablename__) for row in organization_tables()}
    nobodys = {models.ConsoleSessionRow.__tablename__}  # sign-ins with the admin key
    assert confined | nobodys == set(models.metadata.tables)


ALLOWED = {
    "db.py": "defines them, and pings",
    "cli/checks.py": "asks the doctor's questions about the server",
    "services/console_sessions.py": "keeps sign-ins with the admin key, which are nobody's",
    "services/directory.py": "lists organizations for whoever may see them all, or their own",
    "services/event_writer.py": "writes the events of all organizations in batches",
    "services/scopes.py": "lets the admin key see, count and purge all organizations",
    "services/integrations.py": "finds the organization of a key, and lists all",
    "services/known_keys.py": "asks whether what is known of keys still holds",
    "stores/planner_statistics.py": "reads what the planner believes of the tables, no rows",
    "stores/callhelm/catalog.py": "reads the catalog of a host's database, and prepares indexes",
}


def test_only_known_modules_open_the_doors_to_all_organizations() -> None:
    """Each of them has a reason; a new one needs a second look."""
    users = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", None) or getattr(node, "name", None)
            if isinstance(name, str) and re.fullmatch(
                r"(read|write|insert)_all_organizations", name
            ):
                users.add(path.relative_to(PACKAGE).as_posix())
    assert users == set(ALLOWED)


def test_only_known_modules_use_an_engine_or_a_session_of_their_own() -> None:
    """Whoever has an engine, or makes a session, is past every filter."""
    users = set()
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "sqlalchemy" in source and re.search(
            r"(?<!sqlalchemy)\.(engine|reader)\b|[^.\w]Session\(|create_engine\(|raw_connection\(",
            source,
        ):
            users.add(path.relative_to(PACKAGE).as_posix())
    # fast_reads runs what a `PreparedRead` has confined, on the connections of `db`'s engine
    # and schema_version reads the revision alone
    assert users == {"db.py", "migrate.py", "fast_reads.py", "schema_version.py"}
