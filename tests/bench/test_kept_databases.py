"""A database of the benchmark that was used before measures as a new one does."""

from types import ModuleType

from sqlalchemy import func, select
from sqlmodel import SQLModel

from callhelm_threecx.db import Database
from callhelm_threecx.models import ContactRow, EventRow
from callhelm_threecx.settings import database_url as parse_url

CONTACTS = 30


def rows(database: Database, table: type[SQLModel]) -> int:
    with database.read_all_organizations() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def test_it_has_its_contacts_and_none_of_the_events(dataset: ModuleType, database_url: str) -> None:
    filled = dataset.fill(database_url, CONTACTS)
    database = Database(parse_url(database_url))
    with database.write_all_organizations() as session:
        session.add(EventRow(organization_id="bench-0", event_type="lookup"))
    assert rows(database, EventRow) >= 1
    dataset.empty_logs(filled.url)
    assert rows(database, EventRow) == 0
    assert rows(database, ContactRow) == CONTACTS
    database.dispose()
