"""Writes events behind the answers: in batches, in a thread of its own, bounded in memory.

A lookup must not wait for its log line, nor wake a thread for it. What does not fit in the queue,
or cannot be written, is counted and logged, never raised.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import insert

from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import EventRow
from callhelm_threecx.services.events import Event

QUEUE_SIZE: Final = 10_000
BATCH_SIZE: Final = 100
INTERVAL_S: Final = 0.25
"""Longest time that an event waits for company before it is written."""

_ATTEMPTS: Final = 5
_COMPLAIN_EVERY_S: Final = 10.0
_log = logging.getLogger(__name__)


class EventWriter:
    """Takes events, and has a thread write them into the database.

    The thread starts with the first event of a process, so a writer that was built before a fork
    works in every worker. ``close`` writes what is left; it also runs at interpreter exit.
    """

    def __init__(self, database: Database, *, queue_size: int = QUEUE_SIZE) -> None:
        self._database = database
        self._size = queue_size
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
        if belt is None or belt.process != os.getpid():
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
        belt.stop(timeout)
        atexit.unregister(self.close)

    def _start(self) -> "_Belt":
        with self._lock:
            if self._belt is None or self._belt.process != os.getpid():
                self._belt = _Belt(self._write)
                atexit.register(self.close)
            return self._belt

    def _write(self, batch: Sequence[Event]) -> None:
        values = [event.values() for event in batch]
        pause = threading.Event()
        for attempt in range(_ATTEMPTS):
            if attempt:
                pause.wait(0.1 * 2**attempt)
            if self._try_to_write(values):
                return
        self._drop(len(batch))

    def _try_to_write(self, values: Sequence[dict[str, Any]]) -> bool:
        try:
            with self._database.write_all_organizations() as session:
                session.execute(insert(EventRow), values)
        except StorageUnavailableError:
            return False
        except Exception:  # the thread must survive whatever one batch does
            _log.exception("A batch of events could not be written.")
            return False
        return True

    def _drop(self, count: int) -> None:
        self._dropped += count
        now = time.monotonic()
        if now - self._complained_at >= _COMPLAIN_EVERY_S:
            self._complained_at = now
            _log.warning("Events are dropped.", extra={"dropped_so_far": self._dropped})


class _Belt:
    """What waits to be written in one process, and the thread that writes it."""

    def __init__(self, write: Callable[[Sequence[Event]], None]) -> None:
        self.process = os.getpid()
        self.waiting: deque[Event | threading.Event] = deque()
        self._write = write
        self._something = threading.Event()  # there is something to write
        self._enough = threading.Event()  # and no reason to wait for company
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="threecx-events", daemon=True)
        self._thread.start()

    def put(self, item: "Event | threading.Event") -> None:
        """Append an event, or a flag that is set when all before it is written."""
        self.waiting.append(item)
        if not self._something.is_set():
            self._something.set()
        if len(self.waiting) >= BATCH_SIZE:
            self.hurry()

    def hurry(self) -> None:
        """Write now."""
        if not self._enough.is_set():
            self._enough.set()

    def stop(self, timeout: float) -> None:
        """Write what is left, then end."""
        self._stopping = True
        self._something.set()
        self._enough.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping or self.waiting:
            self._something.wait()
            self._enough.wait(INTERVAL_S)
            self._something.clear()
            self._enough.clear()
            self._empty(len(self.waiting))
            if self.waiting or self._stopping:
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
            if len(batch) == BATCH_SIZE or (position == count - 1 and batch):
                self._write(batch)
                batch = []
            if not batch:
                while flags:
                    flags.pop().set()
