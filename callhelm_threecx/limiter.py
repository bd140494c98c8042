"""Rate limits on the library ``limits``: counted in memory, or in Redis for several processes.

With Redis away, requests are let through under the same limit, which each process then counts by
itself; this is logged and counted, and Redis is tried again after a pause.
"""

import logging
import threading
import time
from functools import lru_cache
from math import ceil
from typing import Any, ClassVar, Final, NamedTuple, cast

from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string

from callhelm_threecx.errors import SettingsError

RETRY_REDIS_AFTER_S: Final = 2.0
REDIS_TIMEOUT_S: Final = 0.25
SWEEP_INTERVAL_S: Final = 10.0
_log = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """Whether one more request is allowed. ``reset`` is in seconds, rounded up."""

    allowed: bool
    limit: int
    remaining: int
    reset: int


class WindowStorage(Storage):
    """Counters of fixed windows in the memory of one process.

    The library's own memory storage starts a thread for every hundredth of a second in which there
    are hits; a worker that counts every lookup has no time for that. Here one lock guards a
    dictionary, and what has expired is swept out once in a while.
    """

    STORAGE_SCHEME: ClassVar[list[str] | None] = ["threecx-memory"]  # type: ignore[misc]

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, tuple[int, float]] = {}  # key: (hits, when it expires)
        self._next_sweep = 0.0
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        """Memory has no way to fail."""
        return MemoryError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a hit; the first one opens the window."""
        return self.hit(key, expiry, amount)[0]

    def hit(self, key: str, expiry: int, amount: int = 1) -> tuple[int, float]:
        """Count a hit: the hits in the window, and the seconds until it closes."""
        now = time.time()
        with self._lock:
            if now >= self._next_sweep:
                self._windows = {k: w for k, w in self._windows.items() if w[1] > now}
                self._next_sweep = now + SWEEP_INTERVAL_S
            hits, expires_at = self._windows.get(key, (0, 0.0))
            if expires_at <= now:
                hits, expires_at = 0, now + expiry
            self._windows[key] = (hits + amount, expires_at)
        return hits + amount, expires_at - now

    def get(self, key: str) -> int:
        """The hits in the window that is open, if any."""
        hits, expires_at = self._windows.get(key, (0, 0.0))
        return hits if expires_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the window closes (seconds since the epoch); now, when none is open."""
        return max(self._windows.get(key, (0, 0.0))[1], time.time())

    def check(self) -> bool:
        """Memory always answers."""
        return True

    def reset(self) -> int | None:
        """Forget everything; how many windows there were."""
        with self._lock:
            count = len(self._windows)
            self._windows = {}
        return count

    def clear(self, key: str) -> None:
        """Forget one window."""
        with self._lock:
            self._windows.pop(key, None)


class Limiter:
    """Counts hits against limits. One instance serves all threads of a process."""

    def __init__(self, storage_uri: str) -> None:
        self._memory = WindowStorage()
        self._shared = None if storage_uri.startswith("memory:") else _redis(storage_uri)
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._fallbacks = 0

    @property
    def fallbacks(self) -> int:
        """Hits of this process that were counted by itself because Redis did not answer."""
        return self._fallbacks

    def hit(self, limit: RateLimitItem, *names: str) -> Verdict:
        """Count one request against the limit of these names."""
        return self._ask(limit, names, count=True)

    def peek(self, limit: RateLimitItem, *names: str) -> Verdict:
        """The verdict on one more request, without counting it."""
        return self._ask(limit, names, count=False)

    def healthy(self) -> bool:
        """Whether the shared storage answers (memory always does)."""
        if self._shared is None:
            return True
        try:
            return bool(self._shared.check())
        except Exception:  # whatever the driver raises, it did not answer
            return False

    def _ask(self, limit: RateLimitItem, names: tuple[str, ...], *, count: bool) -> Verdict:
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return _ask(self._shared, limit, names, count=count)
            except StorageError as ex:
                self._away_until = time.monotonic() + RETRY_REDIS_AFTER_S
                _log.warning(
                    "The rate-limit storage does not answer; each process counts by itself.",
                    extra={"reason": type(ex.storage_error).__name__},
                )
        if self._shared is not None:
            with self._lock:
                self._fallbacks += 1
        return _ask(self._memory, limit, names, count=count)


def limit_of(text: str) -> RateLimitItem:
    """A limit such as ``600/minute``. Raises `ValueError`."""
    return parse(text)


def _ask(storage: Storage, limit: RateLimitItem, names: tuple[str, ...], *, count: bool) -> Verdict:
    """One fixed window: the strategy of the library, which asks for the key and the count anew for
    each of its answers, in two questions."""
    key, expiry = _key(limit, names)
    if count and isinstance(storage, WindowStorage):  # one question, without the library's guards
        hits, left = storage.hit(key, expiry)
    else:
        hits = storage.incr(key, expiry) if count else storage.get(key) + 1
        left = storage.get_expiry(key) - time.time()
    amount = limit.amount
    return Verdict(hits <= amount, amount, max(0, amount - hits), min(max(1, ceil(left)), expiry))


@lru_cache(maxsize=20_000)
def _key(limit: RateLimitItem, names: tuple[str, ...]) -> tuple[str, int]:
    return limit.key_for(*names), limit.get_expiry()


def _redis(uri: str) -> Storage:
    try:
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise SettingsError(
            "THREECX_RATE_LIMIT_STORAGE: Redis needs the extra callhelm-threecx[redis]."
        ) from None
    options: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_S,
        "socket_connect_timeout": REDIS_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),  # a phone is ringing: fall back instead of trying again
    }
    try:
        return cast(Storage, storage_from_string(uri, wrap_exceptions=True, **options))
    except (ConfigurationError, ValueError) as ex:
        reason = " ".join(str(ex).split())
        raise SettingsError(f"THREECX_RATE_LIMIT_STORAGE: {reason}") from ex
