"""Many calls at once: a load as a busy PBX makes it, and an account of what became of each call.

Calls arrive as a Poisson process, from known and unknown numbers, in both directions; some are
missed. Talk times are those of real calls in the reports and scaled down in the waiting, so that
about half of the allowed calls are up at any time. Every call is hung up and journaled.
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock

from callhelm_threecx.pbx.calls import Agent, Call, Journal
from callhelm_threecx.pbx.errors import ParameterError, PbxError
from callhelm_threecx.pbx.phone import Pbx
from callhelm_threecx.pbx.tally import Tally

_MEAN_TALK = 180.0
_LONGEST_TALK = 3_600.0
_SHARE_IN_FLIGHT = 0.5
_LONGEST_HOLD = 4.0  # times the mean
_NO = frozenset({"no", "n", "false", "0", "unknown"})
_PHONE_COLUMNS = (
    "phonebusiness",
    "phonebusiness2",
    "phonemobile",
    "phonemobile2",
    "phonehome",
    "phoneother",
    "number",
)


@dataclass(frozen=True)
class Plan:
    """What a storm is made of. Times are seconds, shares lie between 0 and 1.

    ``repeats`` is the share of reports sent a second time, as a PBX does that did not hear the
    answer; a server must take these for duplicates. Raises :class:`ParameterError`.
    """

    calls: int = 200
    concurrency: int = 10
    duration: float = 20.0
    known: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unknown_share: float = 0.2
    missed_share: float = 0.15
    outbound_share: float = 0.25
    repeats: float = 0.02
    seed: int = 1

    def __post_init__(self) -> None:
        if self.calls < 1 or self.concurrency < 1 or self.duration < 0:
            raise ParameterError("A storm needs at least one call, one at a time, in some time.")


@dataclass(frozen=True)
class PlannedCall:
    """One call of a storm: when it comes after the start, from whom, and how it goes."""

    order: int
    arrives: float
    number: str
    known: bool
    outbound: bool
    answered: bool
    talk: float
    hold: float
    repeated: bool
    agent: Agent


def plan_calls(plan: Plan) -> list[PlannedCall]:
    """Draw the calls of a storm; the same plan always gives the same calls."""
    dice = random.Random(plan.seed)  # noqa: S311 - a load is not a secret
    arrivals = sorted(dice.uniform(0, plan.duration) for _ in range(plan.calls))
    hold = _SHARE_IN_FLIGHT * plan.concurrency * plan.duration / plan.calls
    return [_planned(plan, dice, order, arrives, hold) for order, arrives in enumerate(arrivals)]


def _planned(
    plan: Plan, dice: random.Random, order: int, arrives: float, hold: float
) -> PlannedCall:
    known = bool(plan.known) and dice.random() >= plan.unknown_share
    number = dice.choice(plan.known) if known else _stranger(plan, dice)
    answered = dice.random() >= plan.missed_share
    talk = min(dice.lognormvariate(4.7, 1.0), _LONGEST_TALK) if answered else 0.0
    extension = 100 + order % plan.concurrency
    return PlannedCall(
        order=order,
        arrives=arrives,
        number=number,
        known=known,
        outbound=dice.random() < plan.outbound_share,
        answered=answered,
        talk=round(talk),
        hold=min(talk / _MEAN_TALK, _LONGEST_HOLD) * hold,
        repeated=dice.random() < plan.repeats,
        agent=Agent(str(extension), "Agent", str(extension), f"agent{extension}@example.com"),
    )


def _stranger(plan: Plan, dice: random.Random) -> str:
    """Draw an unknown number: one of the plan's, else one that none of the known ones is."""
    if plan.unknown:
        return dice.choice(plan.unknown)
    while True:
        number = f"+1{dice.randrange(200, 1000)}555{dice.randrange(10_000):04d}"
        if number not in plan.known:
            return number


@dataclass
class Storm:
    """Carries a plan out on one PBX; ``stop`` ends it early, calls that are up are reported."""

    pbx: Pbx
    plan: Plan
    tally: Tally = field(default_factory=Tally)
    stop: Event = field(default_factory=Event)

    def run(self, watch: Callable[[Tally], None] | None = None, every: float = 0.25) -> Tally:
        """Make all calls and wait for the last. ``watch`` is told every so many seconds."""
        waiting: SimpleQueue[PlannedCall | None] = SimpleQueue()
        for call in plan_calls(self.plan):
            waiting.put(call)
        for _ in range(self.plan.concurrency):
            waiting.put(None)  # where a worker ends
        self.tally.planned = self.plan.calls
        ended = Event()
        left = _Countdown(self.plan.concurrency, ended)
        day = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=self.plan.calls)
        begun = time.perf_counter()
        with ThreadPoolExecutor(self.plan.concurrency, "storm") as pool:
            workers = [
                pool.submit(self._work, waiting, begun, day, left)
                for _ in range(self.plan.concurrency)
            ]
            while watch and not ended.wait(every):
                watch(self.tally)
            for worker in workers:
                worker.result()
        self.tally.seconds = time.perf_counter() - begun
        return self.tally

    def _work(
        self,
        waiting: SimpleQueue[PlannedCall | None],
        begun: float,
        day: datetime,
        left: _Countdown,
    ) -> None:
        try:
            for planned in iter(waiting.get, None):
                delay = begun + planned.arrives - time.perf_counter()
                if self.stop.wait(max(delay, 0)):
                    return
                self.tally.late(max(-delay, 0.0))
                self._one(planned, day + timedelta(seconds=planned.order))
        finally:
            left.down()

    def _one(self, planned: PlannedCall, at: datetime) -> None:
        """Make one call from ringing to the report. No two begin in the same second."""
        self.tally.started()
        try:
            begin = self.pbx.dial if planned.outbound else self.pbx.ring
            call = begin(planned.number, agent=planned.agent, at=at)
            self.tally.looked_up(call, known=planned.known)
            self.stop.wait(planned.hold)
            journal = self._hang_up(call, planned)
            self.tally.journaled(journal)
            if planned.repeated:
                self.tally.repeated(self.pbx.report_again(journal))
        except PbxError as problem:
            self.tally.broken(str(problem))
        finally:
            self.tally.ended()

    def _hang_up(self, call: Call, planned: PlannedCall) -> Journal:
        return self.pbx.hang_up(call, answered=planned.answered, talk=planned.talk)


class _Countdown:
    """Sets an event when so many workers have come to their end."""

    def __init__(self, count: int, ended: Event) -> None:
        self._left = count
        self._ended = ended
        self._gate = Lock()

    def down(self) -> None:
        with self._gate:
            self._left -= 1
            if not self._left:
                self._ended.set()


def read_numbers(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read known and unknown numbers from a CSV file.

    Columns ``Number`` and, optionally, ``Known`` (yes or no); or the phone columns of a contact
    export, all of them known; or one column without a heading. Raises :class:`ParameterError`.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ParameterError(f"{path} cannot be read: {problem}") from problem
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    columns = [place for place, name in enumerate(names) if name in _PHONE_COLUMNS]
    if columns:
        rows = rows[1:]
    verdict = names.index("known") if columns and "known" in names else None
    known: list[str] = []
    unknown: list[str] = []
    for row in rows:
        stranger = verdict is not None and _cell(row, verdict).lower() in _NO
        numbers = filter(None, (_cell(row, place) for place in columns or [0]))
        (unknown if stranger else known).extend(numbers)
    if not known and not unknown:
        raise ParameterError(f"{path} holds no number.")
    return tuple(known), tuple(unknown)


def _cell(row: list[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""
