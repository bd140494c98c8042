"""A process that uses a database and an event writer, forks, and uses them on both sides.

Run as a program with the URL of a migrated database: prints one line for each side.
"""

import os
import sys

from callhelm_threecx.db import Database
from callhelm_threecx.services.event_writer import EventWriter
from callhelm_threecx.services.events import Event, EventFilter, EventLog, EventType
from callhelm_threecx.settings import database_url

CHILDREN = 3
EVENTS = 20


def use(database: Database, writer: EventWriter, name: str) -> None:
    """What a worker does: events, a read through either engine, the end."""
    for number in range(EVENTS):
        writer.emit(Event("acme", EventType.LOOKUP, phone_number=f"{name}-{number}"))
    database.ping()
    with database.read("acme") as session:
        assert session.info["organization_id"] == "acme"
    assert writer.flush()
    writer.close()


def main(url: str) -> None:
    database = Database(database_url(url))
    writer = EventWriter(database)
    # The parent has open connections, a running thread and a waiting event when it forks.
    database.ping()
    writer.emit(Event("acme", EventType.LOOKUP, phone_number="before"))
    children = []
    for child in range(CHILDREN):
        pid = os.fork()
        if pid == 0:
            use(database, writer, f"child{child}")
            database.dispose()
            os._exit(0)
        children.append(pid)
    use(database, writer, "parent")
    statuses = [os.waitpid(pid, 0)[1] for pid in children]
    database.ping()
    page = EventLog(database, "DE").page(EventFilter("acme"), limit=200)
    numbers = sorted(str(event.phone_number) for event in page.events)
    print(statuses, len(numbers), len(set(numbers)), writer.dropped)


if __name__ == "__main__":
    main(sys.argv[1])
