"""Writes events behind the answers: in batches, in a thread of its own, bounded in memory.

A lookup must not wait for its log line. What does not fit in the queue, or cannot be written, is
counted and logged, never raised.
"""

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Sequence
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
_log = logging.getLogger(__name__)


class EventWriter:
    """A queue, and the thread that empties it into the database.

    The thread starts with the first event of a process, so a writer that was built before a fork
    works in every worker. ``close`` writes what is left; it also runs at interpreter exit.
    """

    def __init__(self, database: Database, *, queue_size: int = QUEUE_SIZE) -> None:
        self._database = database
        self._size = queue_size
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._dropped = 0
        self._start_afresh()

    @property
    def dropped(self) -> int:
        """Events of this process that were not written: the queue was full or the database away."""
        return self._dropped

    def emit(self, event: Event) -> None:
        """Hand an event over; returns at once."""
        if self._owner != os.getpid():
            self._start_thread()
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._drop(1)

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything handed over so far is written (or dropped)."""
        if self._owner != os.getpid():
            return True
        done = threading.Event()
        try:
            self._queue.put(done, timeout=timeout)
        except queue.Full:
            return False
        return done.wait(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Write what is left and end the thread. A later `emit` starts anew."""
        with self._lock:
            thread, own = self._thread, self._owner == os.getpid()
            if thread is None or not own:
                return
            self._owner = None
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            self._drop(self._queue.qsize())
            return
        thread.join(timeout)
        atexit.unregister(self.close)

    def _start_afresh(self) -> None:
        # A lock or a queue that another thread held during a fork stays locked in the child.
        self._queue: queue.Queue[Any] = queue.Queue(self._size)
        self._thread: threading.Thread | None = None

    def _start_thread(self) -> None:
        with self._lock:
            if self._owner == os.getpid():
                return
            self._start_afresh()
            self._thread = threading.Thread(
                target=self._run, args=(self._queue,), name="threecx-events", daemon=True
            )
            self._thread.start()
            self._owner = os.getpid()
            atexit.register(self.close)

    def _run(self, source: "queue.Queue[Any]") -> None:
        going_on = True
        while going_on:
            batch, waiting, going_on = _collect(source)
            if batch:
                self._write(batch)
            for flushed in waiting:
                flushed.set()

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
        _log.warning("Events were dropped.", extra={"dropped": count, "total": self._dropped})


def _collect(source: "queue.Queue[Any]") -> tuple[list[Event], list[threading.Event], bool]:
    """Wait for an event, then for its company: (events, who waits for a flush, go on?)."""
    batch: list[Event] = []
    item = source.get()
    deadline = time.monotonic() + INTERVAL_S
    while True:
        if item is None:
            return batch, [], False
        if isinstance(item, threading.Event):
            return batch, [item], True
        batch.append(item)
        if len(batch) >= BATCH_SIZE:
            return batch, [], True
        try:
            item = source.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return batch, [], True
