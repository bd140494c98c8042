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
    """Hands pieces of work to one thread, however many come; to another one when that takes long,
    so that no piece waits for the end of what is stuck."""

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
        """When each of those who are at it began with what they do now."""
        self._changing = threading.Lock()

    def add(self, piece: Piece) -> None:
        """Have a piece done, and return at once."""
        with self._changing:
            self._waiting.append(piece)
        self.relieve()

    def relieve(self) -> None:
        """Have somebody else begin with what waits, should those who are at it take long. For
        whoever passes by, now and then."""
        with self._changing:
            now = time.monotonic()
            last = max(self._begun.values(), default=-PATIENCE_S)
            if not self._waiting or now - last < PATIENCE_S:
                return
            somebody = object()
            self._begun[somebody] = now
        self._submit(partial(self._do_what_waits, somebody))

    def _do_what_waits(self, somebody: object) -> None:
        while pieces := self._next(somebody):
            self._work(pieces)

    def _next(self, somebody: object) -> list[Piece]:
        with self._changing:
            pieces = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            if pieces:
                self._begun[somebody] = time.monotonic()
            else:
                del self._begun[somebody]
            return pieces
