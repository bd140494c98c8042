"""What SQLite keeps, and for what a commit waits."""

import sqlite3
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import IntegrityError

from callhelm_threecx.bulk import BulkInsert, Row
from callhelm_threecx.db import Database
from callhelm_threecx.models import EventRow, metadata
from callhelm_threecx.services.events import Event, EventType
from tests.servers import PRAGMAS_OF_THE_PRODUCT

NORMAL: Final = 1
FULL: Final = 2


def test_a_commit_to_a_file_waits_for_the_disk(tmp_path: Path) -> None:
    """Whatever the tests do to spare it: the product's own connections do."""
    connection = sqlite3.connect(tmp_path / "calls.db")
    PRAGMAS_OF_THE_PRODUCT(connection, None)
    asked = ("synchronous", "journal_mode", "foreign_keys")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
    connection.close()
    assert found == [FULL, "wal", 1]


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("ends_well", [True, False])
def test_the_event_log_waits_for_no_disk_and_what_comes_next_does(
    database: Database, ends_well: bool
) -> None:
    event.listen(database.engine, "connect", PRAGMAS_OF_THE_PRODUCT)
    levels: list[int] = []

    class Watching(BulkInsert):
        def run(self, connection: Connection, rows: Sequence[Row]) -> None:
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
            super().run(connection, rows)

    table = metadata.tables[EventRow.__tablename__]
    bulk = Watching(table, table.c.keys(), database.engine.dialect)
    one = Event("acme", EventType.LOOKUP).values()
    rows = [one] if ends_well else [one, one]
    with nullcontext() if ends_well else pytest.raises(IntegrityError):
        database.insert_all_organizations(bulk, rows)
    with database.engine.begin() as connection:
        levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
        count = connection.exec_driver_sql("SELECT count(*) FROM three_cx_call_events")
        assert count.scalar_one() == int(ends_well)
    assert levels == [NORMAL, FULL]
