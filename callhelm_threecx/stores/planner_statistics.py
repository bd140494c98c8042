"""What PostgreSQL's planner knows of the contacts of the ``sql`` store.

`ANALYZE <https://www.postgresql.org/docs/current/view-pg-stats.html>`_ keeps a sample of a hundred
or more texts of a column, and the planner tries the pattern of a search on each. So do we, without
keeping texts: of each trigram it is remembered in which of them it occurs. Of the organizations the
planner knows the largest.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text as sql

from callhelm_threecx.db import Database

TRIGRAM: Final = 3
KEPT_S: Final = 600.0
"""So long the statistics count: a table changes its nature slowly."""

LARGE: Final = 20_000
"""Contacts: to read those of a smaller organization one by one does not take long."""

_STATISTICS: Final = sql(
    """
SELECT
    s.attname, c.reltuples,
    coalesce(CAST(CAST(s.histogram_bounds AS text) AS text[]), '{}'),
    coalesce(CAST(CAST(s.most_common_vals AS text) AS text[]), '{}'),
    coalesce(s.most_common_freqs, '{}')
FROM pg_class AS c
JOIN pg_stats AS s
    ON s.schemaname = CAST(CAST(c.relnamespace AS regnamespace) AS text)
WHERE
    c.oid = to_regclass('three_cx_contacts')
    AND s.tablename = 'three_cx_contacts'
    AND s.attname IN ('organization_id', 'search_text')
"""
)


@dataclass(frozen=True, slots=True)
class Statistics:
    """``contacts`` are those of all organizations, ``large`` those of each large one. ``places``
    has for each trigram a bit for each text of the sample in which it occurs."""

    contacts: float = 0
    large: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    texts: int = 0

    def with_terms(self, terms: Sequence[str]) -> float:
        """How many contacts of all organizations may have all of these folded words, as far as the
        sample can tell; all for words shorter than a trigram."""
        places = (1 << self.texts) - 1
        for term in terms:
            for trigram in trigrams(term):
                places &= self.places.get(trigram, 0)
        return places.bit_count() / max(self.texts, 1) * self.contacts


class PlannerStatistics:
    """Reads the statistics when they are needed, every ten minutes at most."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: tuple[float, Statistics] | None = None

    def latest(self) -> Statistics:
        """The statistics. Raises `callhelm_threecx.errors.StorageUnavailableError`."""
        known = self._latest
        if known is not None and self._clock() - known[0] < KEPT_S:
            return known[1]
        with self._lock:
            if self._latest is None or self._latest is known:  # else another thread was faster
                self._latest = (self._clock(), self._read())
            return self._latest[1]

    def _read(self) -> Statistics:
        with self._database.read_all_organizations() as session:
            rows = session.execute(_STATISTICS).all()
        total, sample, large = 0.0, [], {}
        for name, contacts, bounds, values, shares in rows:
            if name == "search_text":
                total, sample = contacts, [*bounds, *values]
            else:
                pairs = zip(values, shares, strict=True)
                large = {key: share * contacts for key, share in pairs if share * contacts >= LARGE}
        places: dict[str, int] = {}
        for place, text in enumerate(sample):
            for trigram in set(trigrams(text)):
                places[trigram] = places.get(trigram, 0) | 1 << place
        return Statistics(total, large, places, len(sample))


def trigrams(text: str) -> Iterable[str]:
    """Every three characters that stand together."""
    return (text[start : start + TRIGRAM] for start in range(len(text) - TRIGRAM + 1))
