"""The event log in numbers."""

from collections import Counter
from datetime import timedelta
from typing import Any

from callhelm_threecx.models import utc_now
from callhelm_threecx.services.events import EventLog, EventStatus, EventType

_TOTALS = {
    EventType.LOOKUP: "lookups",
    EventType.SEARCH: "searches",
    EventType.CREATE_CONTACT: "contacts_created",
    EventType.JOURNAL: "journals",
    EventType.CHAT: "chats",
    EventType.TEMPLATE: "templates",
    EventType.SETUP: "setups",
    EventType.REFUSED: "refused",
}


def statistics(log: EventLog, organization_id: str | None, days: int) -> dict[str, Any]:
    """Totals over the last days (today, in UTC, included) and the same for each day.

    ``journals``, ``chats`` and ``contacts_created`` count what was added: a report that came again
    is in ``duplicates``, a request that failed in ``errors``.
    """
    today = utc_now().date()
    dates = [(today - timedelta(days=back)).isoformat() for back in range(days - 1, -1, -1)]
    by_day = {date: _Count() for date in dates}
    total = _Count()
    for date, kind, status, number in log.counts_by_day(organization_id, days):
        for count in (total, by_day.get(date, _Count())):
            count.add(kind, status, number)
    daily = [{"date": date, **by_day[date].view()} for date in dates]
    return {"days": days, **total.view(), "daily": daily}


class _Count:
    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()

    def add(self, kind: str, status: str, number: int) -> None:
        self._numbers["total_events"] += number
        if status == EventStatus.ERROR.value:
            self._numbers["errors"] += number
        elif status == EventStatus.DUPLICATE.value:
            self._numbers["duplicates"] += number
        else:
            self._numbers[_TOTALS.get(EventType(kind), kind)] += number
        if kind == EventType.LOOKUP.value and status == EventStatus.OK.value:
            self._numbers["lookups_matched"] += number

    def view(self) -> dict[str, int]:
        names = ("total_events", *_TOTALS.values(), "lookups_matched", "duplicates", "errors")
        return {name: self._numbers[name] for name in names}
