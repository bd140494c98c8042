"""A process that emits events and ends without a word: what is left is written at its exit.

Run as a program with the URL of a migrated database and a number of events.
"""

import sys

from callhelm_threecx.db import Database
from callhelm_threecx.services.event_writer import EventWriter
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.settings import database_url


def main(url: str, count: int) -> None:
    writer = EventWriter(Database(database_url(url)))
    for number in range(count):
        writer.emit(Event("acme", EventType.LOOKUP, phone_number=str(number)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
