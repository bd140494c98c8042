"""Work that comes one piece at a time, done together: what comes while some is being done is done
next, all at once."""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Generic, TypeVar

Piece = TypeVar("Piece")

MOST: Final = 16
"""Largest number of pieces that are done together."""

PATIENCE_S: Final = 0.05
"""How long what comes waits for those that are being done."""


class Batches(Generic[Piece]):
    """Hands what waits to one thread, however much it is; to another one when that takes long, so
    that nothing waits for the end of what is stuck."""

    def __init__(
        self,
        work: Callable[[list[Piece]], None],
        submit: Callable[[Callable[[], None]], Any],
    ) -> None:
        """``work`` does up to `MOST` pieces, and raises nothing; ``submit`` has a thread call what
        it is given."""
        self._work = work
        self._submit = submit
        self._waiting: deque[Piece] = deque()
        self._begun: dict[object, float] = {}
        """When each thread that is at it began with what it does now."""
        self._changing = threading.Lock()

    @property
    def is_waiting(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    def add(self, piece: Piece) -> None:
        """Let a piece wait until somebody calls `begin`."""
        self._waiting.append(piece)

    def begin(self) -> None:
        """Have a thread begin with what waits, unless one will be ready for it soon. To be called
        again, after `PATIENCE_S` at the latest, for as long as something waits."""
        if not self._waiting:
            return
        with self._changing:
            now = time.monotonic()
            if self._begun and now - max(self._begun.values()) < PATIENCE_S:
                return
            thread = object()
            self._begun[thread] = now
        self._submit(partial(self._do_what_waits, thread))

    def _do_what_waits(self, thread: object) -> None:
        while pieces := self._next(thread):
            self._work(pieces)

    def _next(self, thread: object) -> list[Piece]:
        with self._changing:
            pieces = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            if pieces:
                self._begun[thread] = time.monotonic()
            else:
                del self._begun[thread]
            return pieces
