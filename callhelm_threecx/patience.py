"""How long whoever reads just now can wait for an answer.

Most can wait as long as it takes: they have a thread for it. The loop of a worker cannot, since
everybody else waits with it. What reads on its behalf gives up when its patience is over, and does
not begin what it cannot give up.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_until: Final[ContextVar[float | None]] = ContextVar("callhelm_threecx_patience", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Whatever this thread reads meanwhile must be there within so many seconds."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def deadline() -> float | None:
    """When patience is over (`time.monotonic`); None for no limit."""
    return _until.get()
