"""Whether something is answered promptly enough to wait for it where nothing else may wait."""

import time
from typing import Final

SLOW_S: Final = 0.05
"""An answer that takes longer is not prompt."""

_PAUSE: Final = 10
"""After a slow answer, how many times as long as it took nobody waits for the next ones."""

_QUICK: Final = 20
"""After so many quick answers in a row the pause is over."""


class Promptness:
    """Learns from the time that answers take: where they were waited for, and elsewhere."""

    def __init__(self) -> None:
        self._pause_until = 0.0
        self._quick_elsewhere = 0

    @property
    def is_likely(self) -> bool:
        """Whether the next answer can be waited for."""
        return time.monotonic() >= self._pause_until

    def waited(self, seconds: float) -> None:
        """An answer was waited for."""
        if seconds > SLOW_S:
            self._pause_until = time.monotonic() + _PAUSE * seconds
            self._quick_elsewhere = 0

    def took_elsewhere(self, seconds: float) -> None:
        """An answer came from where waiting harms nobody. What was slow may be over: a database
        that hung, or a machine that stood still for a moment."""
        self._quick_elsewhere = self._quick_elsewhere + 1 if seconds < SLOW_S else 0
        if self._quick_elsewhere >= _QUICK:
            self._pause_until = 0.0
