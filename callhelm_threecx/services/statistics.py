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
# By the words in the log; one that an earlier integration wrote may be none of ours.
_NAMES = {kind.value: name for kind, name in _TOTALS.items()}


def statistics(log: EventLog, organization_id: str | None, days: int) -> dict[str, Any]:
    """Totals over the last days (today, in UTC, included) and the same for each day.

    ``journals``, ``chats`` and ``contacts_created`` count what was added: a report that came again
    is in ``duplicates``, a request that failed in ``errors``.
    """
    now = utc_now()
    today = now.date()
    dates = [(today - timedelta(days=back)).isoformat() for back in range(days - 1, -1, -1)]
    by_day = {date: _Count() for date in dates}
    total = _Count()
    for one in log.totals.counts(organization_id, today - timedelta(days=days - 1), now):
        for count in (total, by_day[one.day.isoformat()]):
            count.add(one.event_type, one.status, one.count)
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
            self._numbers[_NAMES.get(kind, kind)] += number
        if kind == EventType.LOOKUP.value and status == EventStatus.OK.value:
            self._numbers["lookups_matched"] += number

    def view(self) -> dict[str, int]:
        names = ("total_events", *_TOTALS.values(), "lookups_matched", "duplicates", "errors")
        return {name: self._numbers[name] for name in names}
