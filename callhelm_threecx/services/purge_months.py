"""Lets whole months of events go where the log is in months (see ``event_months``)."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.services.event_months import EventMonths, Layout, Month
from callhelm_threecx.services.purge_orders import PurgeOrder

MOST_KEPT: Final = 1000
"""A month that has more events than this which never go is purged row by row."""

_DAY: Final = timedelta(days=1)
_log = logging.getLogger(__name__)


class MonthPurge:
    """Whole months that have lived their time."""

    def __init__(self, database: Database) -> None:
        self._months = EventMonths(database)

    def make_ahead(self, now: datetime) -> bool:
        """Make the months that will be needed; whether the log is in months at all."""
        if self._months.layout() is None:
            return False
        try:
            self._months.make_ahead(now)
        except StorageUnavailableError as ex:  # the next purge makes them; there is time
            _log.warning("Months of the event log could not be made: %s", ex.message)
        return True

    def due(self, order: PurgeOrder, now: datetime) -> tuple[Sequence[tuple[Month, int]], bool]:
        """The oldest months that would go as a whole, with the number of events that would; and
        whether the log is in months."""
        layout = self._months.layout()
        found: list[tuple[Month, int]] = []
        for month in self._over(layout, order, now) if layout else ():
            kept = self._staying(layout, month, order) if layout else 0
            if kept > MOST_KEPT or layout is None:
                break
            found.append((month, self._months.count(layout, month) - kept))
        return found, layout is not None

    def drop(
        self,
        order: PurgeOrder,
        now: datetime,
        keep_days: Callable[[set[date]], None],
        stop: threading.Event,
    ) -> dict[str, int]:
        """Let them go; how many events of which month. The days are counted first. A month that
        others keep busy is left to be purged row by row."""
        gone: dict[str, int] = {}
        layout = self._months.layout()
        for month in self._over(layout, order, now) if layout else ():
            if layout is None or stop.is_set():
                break
            kept = self._staying(layout, month, order)
            if kept > MOST_KEPT:
                continue
            keep_days(set(_days(month)))
            count = self._months.count(layout, month) - kept
            try:
                self._months.drop(layout, month, order.kept_forever())
            except StorageUnavailableError as ex:
                _log.warning("A month of the event log stays for now: %s", ex.message)
                continue
            gone[str(month)] = count
        return gone

    @staticmethod
    def _over(layout: Layout, order: PurgeOrder, now: datetime) -> Sequence[Month]:
        """Months of which everything that ever goes has lived its time."""
        if order.everyone is None or order.longest is None:
            return ()
        before = now - order.longest
        return [month for month in layout.months if month.next.first <= before]

    def _staying(self, layout: Layout, month: Month, order: PurgeOrder) -> int:
        return self._months.staying(layout, month, order.kept_forever(), MOST_KEPT)


def _days(month: Month) -> Sequence[date]:
    length = (month.next.first - month.first).days
    return [month.first.date() + number * _DAY for number in range(length)]
