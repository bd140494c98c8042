"""Work that comes one piece at a time, done together: what comes while some is being done is done
next, all at once."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

Piece = TypeVar("Piece")

MOST: Final = 16
"""Largest number of pieces that are done together."""

PATIENCE_S: Final = 0.05
"""How long what comes waits for those that are being done."""


class Batches(Generic[Piece]):
    """Hands what waits to one thread, up to `MOST` pieces at a time; to another one when that takes
    long or when more waits, so that nothing waits for the end of what is stuck."""

    def __init__(
        self,
        work: Callable[[list[Piece]], None],
        submit: Callable[[Callable[[], None]], Any],
    ) -> None:
        """``work`` does the pieces, and raises nothing; ``submit`` has a thread call what it is
        given, after whatever else it was given before."""
        self._work = work
        self._submit = submit
        self._waiting: deque[Piece] = deque()
        self._begun: dict[object, float] = {}
        """When each batch that is being done was begun."""
        self._is_asked = False
        """Whether a thread was asked to begin, and has not yet."""
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
        with self._changing:
            if not self._waiting or self._is_asked or self._is_one_ready_soon():
                return
            self._is_asked = True
        try:
            self._submit(self._do_what_waits)
        except BaseException:
            self._is_asked = False
            raise

    def _is_one_ready_soon(self) -> bool:
        if not self._begun or len(self._waiting) >= MOST * len(self._begun):
            return False
        return time.monotonic() - max(self._begun.values()) < PATIENCE_S

    def _do_what_waits(self) -> None:
        batch = object()
        with self._changing:
            self._is_asked = False
            pieces = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            if not pieces:
                return
            self._begun[batch] = time.monotonic()
        try:
            self._work(pieces)
        finally:
            with self._changing:
                del self._begun[batch]
        self.begin()
