"""The account of a storm: how long answers took, what was dropped, what was journaled."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from callhelm_threecx.pbx.calls import Call, Journal
from callhelm_threecx.pbx.exchange import Exchange

PERCENTILES = (50, 90, 95, 99)


@dataclass
class Latency:
    """The answering times of one scenario, in seconds."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def at(self, percent: float) -> float:
        """Give the time within which so many percent of the answers came; 0 without any."""
        if not self.seconds:
            return 0.0
        ranked = sorted(self.seconds)
        return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]

    @property
    def longest(self) -> float:
        """The longest time."""
        return max(self.seconds, default=0.0)


@dataclass
class Tally:
    """Counts what happens. Every method may be called from any thread.

    A report counts as ``new`` when it was answered 201, as ``duplicate`` when the answer says so,
    as ``accepted`` when it was taken without saying which, and as ``failed`` otherwise.
    """

    planned: int = 0
    up: int = 0
    most_up: int = 0
    calls: int = 0
    seconds: float = 0.0
    latest: float = 0.0
    scenarios: dict[str, Latency] = field(default_factory=lambda: defaultdict(Latency))
    call_types: Counter[str] = field(default_factory=Counter)
    lookups: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    journals: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    identities: Counter[str] = field(default_factory=Counter)
    _gate: Lock = field(default_factory=Lock, repr=False)

    def started(self) -> None:
        """A call is up."""
        with self._gate:
            self.up += 1
            self.most_up = max(self.most_up, self.up)

    def ended(self) -> None:
        """A call is over, reported or not."""
        with self._gate:
            self.up -= 1
            self.calls += 1

    def late(self, seconds: float) -> None:
        """A call began so much later than planned, because too many were up."""
        with self._gate:
            self.latest = max(self.latest, seconds)

    def looked_up(self, call: Call, *, known: bool) -> None:
        """A lookup is done."""
        found = "found" if call.contacts else "not found"
        with self._gate:
            self._time(call.exchanges)
            self.lookups[f"{'known' if known else 'unknown'}, {found}"] += 1
            self.dropped.update(_without_numbers(each.reason) for each in call.dropped)
            self.failures.update(map(str, call.failures))

    def journaled(self, journal: Journal) -> None:
        """A report was sent for the first time."""
        with self._gate:
            self._time(journal.exchanges)
            self.call_types[journal.call_type] += 1
            self.failures.update(map(str, journal.failures))
            self.journals[outcome_of(journal)] += 1
            self.identities.update(journal.find("callId")[:1])

    def repeated(self, journal: Journal) -> None:
        """The same report was sent again."""
        with self._gate:
            self._time(journal.exchanges)
            self.failures.update(map(str, journal.failures))
            self.repeats[outcome_of(journal)] += 1

    def broken(self, reason: str) -> None:
        """A call could not be carried through."""
        with self._gate:
            self.failures[reason] += 1
            self.journals["failed"] += 1

    @property
    def adds_up(self) -> bool:
        """Whether every planned call was made and every one of them has one journal outcome."""
        return self.calls == self.planned == sum(self.journals.values())

    @property
    def exactly_once(self) -> bool:
        """Whether, as far as the answers tell, each call was journaled once and no call twice.

        Every first report is new, every repeated one a duplicate, and no two calls share an id.
        """
        shared = [name for name, count in self.identities.items() if count > 1]
        first = self.journals["new"] == self.planned
        again = sum(self.repeats.values()) == self.repeats["duplicate"]
        return self.adds_up and first and again and not shared

    @property
    def ok(self) -> bool:
        """Whether nothing failed, nothing was dropped, and the account adds up."""
        lost = self.journals["failed"] or self.journals["duplicate"]
        again = self.repeats["new"] or self.repeats["failed"]
        return self.adds_up and not (self.failures or self.dropped or lost or again)

    def to_dict(self) -> dict[str, Any]:
        """Give the account as JSON-ready data; times are milliseconds."""
        return {
            "calls": {"planned": self.planned, "made": self.calls, "mostAtOnce": self.most_up},
            "seconds": round(self.seconds, 3),
            "latestStartSeconds": round(self.latest, 3),
            "callTypes": dict(self.call_types),
            "lookups": dict(self.lookups),
            "dropped": dict(self.dropped),
            "failures": dict(self.failures),
            "journals": dict(self.journals),
            "repeatedReports": dict(self.repeats),
            "distinctCallIds": len(self.identities),
            "addsUp": self.adds_up,
            "exactlyOnce": self.exactly_once,
            "scenarios": {
                name: {
                    "requests": len(latency.seconds),
                    "failed": latency.failed,
                    **{f"p{each}": _milliseconds(latency.at(each)) for each in PERCENTILES},
                    "max": _milliseconds(latency.longest),
                }
                for name, latency in sorted(self.scenarios.items())
            },
        }

    def _time(self, exchanges: Iterable[Exchange]) -> None:
        for exchange in exchanges:
            latency = self.scenarios[exchange.scenario or "lookup by number"]
            latency.seconds.append(exchange.seconds)
            latency.failed += not exchange.ok


def outcome_of(journal: Journal) -> str:
    """Say what the server made of a report: new, duplicate, accepted or failed."""
    if not journal.ok or not journal.exchanges:
        return "failed" if not journal.ok else "skipped"
    if journal.find("duplicate")[:1] == ["True"]:
        return "duplicate"
    return "new" if journal.status == 201 else "accepted"


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _without_numbers(reason: str) -> str:
    """Count reasons, not the numbers named in them."""
    head, found, _ = reason.partition(" contains ")
    return f"{head} contains the number." if found else reason


def percent_line(latency: Latency, percents: Sequence[int] = PERCENTILES) -> list[str]:
    """Print the percentiles and the longest time in milliseconds, for a table."""
    times = [*(latency.at(each) for each in percents), latency.longest]
    return [f"{each * 1000:.1f}" for each in times]
