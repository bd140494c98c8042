"""Writes events behind the answers: in batches, in a thread of its own, bounded in memory.

A lookup must not wait for its log line, nor wake a thread for it. What does not fit in the queue,
or cannot be written, is counted and logged, never raised.
"""

import atexit
import itertools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from callhelm_threecx.bulk import BulkInsert
from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import EventRow, metadata
from callhelm_threecx.services.events import Event

QUEUE_SIZE: Final = 10_000
BATCH_SIZES: Final = {"postgresql": 100, "sqlite": 400}
"""So many events are written in one transaction at most. On SQLite each commit writes the pages
that all events touch anew, and has every reader read anew what it knew of the file: with a hundred,
lookups were a tenth fewer, and a thousand would hold its write lock for long. On PostgreSQL more
gain nothing, and their making keeps a lookup waiting."""

INTERVAL_S: Final = 0.25
"""Longest time that an event waits for company before it is written."""

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_FAREWELLS: Final = 3
"""So often a writer that is being closed tries a batch before it gives up."""

_COMPLAIN_EVERY_S: Final = 10.0
_EVENTS: Final = metadata.tables[EventRow.__tablename__]
_log = logging.getLogger(__name__)


class EventWriter:
    """Takes events, and has a thread write them into the database.

    The thread starts with the first event of a process, so a writer that was built before a fork
    works in every worker. ``close`` writes what is left; it also runs at interpreter exit.
    """

    def __init__(self, database: Database, *, queue_size: int = QUEUE_SIZE) -> None:
        self._database = database
        self._rows = BulkInsert(_EVENTS, _EVENTS.c.keys(), database.engine.dialect)
        self._size = queue_size
        self.batch_size = BATCH_SIZES[database.dialect]
        self._lock = threading.Lock()
        self._belt: _Belt | None = None
        self._dropped = 0
        self._complained_at = -_COMPLAIN_EVERY_S

    @property
    def dropped(self) -> int:
        """Events of this process that were not written: the queue was full or the database away."""
        return self._dropped

    def emit(self, event: Event) -> None:
        """Hand an event over; returns at once."""
        belt = self._belt
        if belt is None or belt.process != os.getpid():
            belt = self._start()
        if len(belt.waiting) >= self._size:
            self._drop(1)
        else:
            belt.put(event)

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything handed over so far is written (or dropped); False on time-out."""
        belt = self._belt
        if belt is None or belt.process != os.getpid() or belt.is_idle:
            return True
        done = threading.Event()
        belt.put(done)
        belt.hurry()
        return done.wait(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Write what is left and end the thread. A later `emit` starts anew."""
        with self._lock:
            belt, self._belt = self._belt, None
        if belt is None or belt.process != os.getpid():
            return
        left = belt.stop(timeout)
        if left:
            self._drop(left)
        atexit.unregister(self.close)

    def _start(self) -> "_Belt":
        with self._lock:
            if self._belt is None or self._belt.process != os.getpid():
                self._belt = _Belt(self._write, self.batch_size)
                atexit.register(self.close)
            return self._belt

    def _write(self, batch: Sequence[Event], stopping: threading.Event) -> None:
        """Write a batch, however long the database is away: what arrives meanwhile waits in the
        bounded queue. Only a writer that is being closed gives up."""
        values = [event.values() for event in batch]
        farewells = 0
        for attempt in itertools.count():
            try:
                self._insert(values)
            except StorageUnavailableError:
                if stopping.is_set():
                    farewells += 1
                if farewells == _FAREWELLS:
                    break
            except Exception:  # the thread must survive whatever one batch does
                _log.exception("A batch of events could not be written.")
                self._write_singly(values)
                return
            else:
                return
            pause = threading.Event() if farewells else stopping
            pause.wait(min(_FIRST_PAUSE_S * 2 ** min(attempt, 9), _LONGEST_PAUSE_S))
        self._drop(len(batch))

    def _write_singly(self, values: Sequence[dict[str, Any]]) -> None:
        """One event that no database keeps must not cost its company."""
        for one in values:
            with suppress(Exception):
                self._insert([one])
                continue
            self._drop(1)

    def _insert(self, values: Sequence[dict[str, Any]]) -> None:
        self._database.insert_all_organizations(self._rows, values)

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count
        now = time.monotonic()
        if now - self._complained_at >= _COMPLAIN_EVERY_S:
            self._complained_at = now
            _log.warning("Events are dropped.", extra={"dropped_so_far": self._dropped})


class _Belt:
    """What waits to be written in one process, and the thread that writes it."""

    def __init__(
        self, write: Callable[[Sequence[Event], threading.Event], None], batch_size: int
    ) -> None:
        self.process = os.getpid()
        self.waiting: deque[Event | threading.Event] = deque()
        self._is_writing = False
        self._write = write
        self._batch_size = batch_size
        self._something = threading.Event()  # there is something to write
        self._enough = threading.Event()  # and no reason to wait for company
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="threecx-events", daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether everything is written: the flag is up before an item leaves the queue."""
        return not self.waiting and not self._is_writing

    def put(self, item: "Event | threading.Event") -> None:
        """Append an event, or a flag that is set when all before it is written."""
        self.waiting.append(item)
        if not self._something.is_set():
            self._something.set()
        if len(self.waiting) >= self._batch_size:
            self.hurry()

    def hurry(self) -> None:
        """Write now."""
        if not self._enough.is_set():
            self._enough.set()

    def stop(self, timeout: float) -> int:
        """Write what is left, then end; how many events still wait after the time-out."""
        self._stopping.set()
        self._something.set()
        self._enough.set()
        self._thread.join(timeout)
        return sum(isinstance(item, Event) for item in tuple(self.waiting))

    def _run(self) -> None:
        while not self._stopping.is_set() or self.waiting:
            self._something.wait()
            self._enough.wait(INTERVAL_S)
            self._something.clear()
            self._enough.clear()
            self._is_writing = True
            self._empty(len(self.waiting))
            self._is_writing = False
            if self.waiting or self._stopping.is_set():
                self._something.set()

    def _empty(self, count: int) -> None:
        """Write so many items: what arrives meanwhile waits for its own company."""
        batch: list[Event] = []
        flags: list[threading.Event] = []
        for position in range(count):
            item = self.waiting.popleft()
            if isinstance(item, Event):
                batch.append(item)
            else:
                flags.append(item)
            if len(batch) == self._batch_size or (position == count - 1 and batch):
                self._write(batch, self._stopping)
                batch = []
            if not batch:
                while flags:
                    flags.pop().set()
