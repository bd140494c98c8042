"""The .NET values that a variable may hold: text, numbers, booleans, DateTime, TimeSpan, null.

Text, numbers, booleans and null are Python's ``str``, ``int``, ``float``, ``bool`` and ``None``.
DateTime and TimeSpan count ticks of 100 nanoseconds, as .NET does; Python's own are coarser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo

from callhelm_threecx.pbx.errors import EvaluationError

TICKS_PER_MILLISECOND = 10_000
TICKS_PER_SECOND = 10_000_000
TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND
TICKS_PER_HOUR = 60 * TICKS_PER_MINUTE
TICKS_PER_DAY = 24 * TICKS_PER_HOUR
MAX_DATE_TICKS = 3_155_378_975_999_999_999
"""The last tick of the year 9999."""

_MAX_SPAN_TICKS = 2**63 - 1
_ORIGIN = datetime(1, 1, 1)  # noqa: DTZ001 - .NET counts ticks without a zone from here
_UNIX_TICKS = 621_355_968_000_000_000


@dataclass(frozen=True, order=True)
class TimeSpan:
    """A length of time in ticks."""

    ticks: int

    def __post_init__(self) -> None:
        if abs(self.ticks) > _MAX_SPAN_TICKS:
            raise EvaluationError("The length of time is too long for a TimeSpan.")

    @classmethod
    def of(cls, length: timedelta) -> TimeSpan:
        """Turn a Python duration into a TimeSpan."""
        return cls(ticks_of(length))

    def part(self, unit: int, limit: int) -> int:
        """Say how many whole units of so many ticks there are, counted up to ``limit``, signed."""
        parts = abs(self.ticks) // unit % limit
        return -parts if self.ticks < 0 else parts

    @property
    def days(self) -> int:
        """Whole days, signed."""
        return self.part(TICKS_PER_DAY, _MAX_SPAN_TICKS)


@dataclass(frozen=True)
class DateTime:
    """A moment as .NET keeps it: clock ticks since the year 1, and what the clock was set to.

    ``kind`` is ``Utc``, ``Local`` or ``Unspecified``; ``zone`` is the zone of the PBX.
    """

    ticks: int
    kind: str = "Unspecified"
    zone: tzinfo = field(default=timezone.utc, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.ticks <= MAX_DATE_TICKS:
            raise EvaluationError("The date lies outside the years 1 to 9999.")

    @classmethod
    def utc(cls, moment: datetime, zone: tzinfo = timezone.utc) -> DateTime:
        """Turn an aware moment into a DateTime on the UTC clock."""
        return cls(_clock_ticks(moment.astimezone(timezone.utc)), "Utc", zone)

    @classmethod
    def local(cls, moment: datetime, zone: tzinfo) -> DateTime:
        """Turn an aware moment into a DateTime on the clock of the PBX."""
        return cls(_clock_ticks(moment.astimezone(zone)), "Local", zone)

    @property
    def clock(self) -> datetime:
        """What the clock shows, without a zone; the last tick digit is lost."""
        return _ORIGIN + timedelta(microseconds=self.ticks // 10)

    @property
    def offset(self) -> timedelta:
        """How far the clock is ahead of UTC; an unspecified one is taken as local."""
        if self.kind == "Utc":
            return timedelta()
        return self.zone.utcoffset(self.clock) or timedelta()

    @property
    def unix_milliseconds(self) -> int:
        """Milliseconds since 1970, which 3CX calls ``…Millis``."""
        return (self.ticks - ticks_of(self.offset) - _UNIX_TICKS) // TICKS_PER_MILLISECOND

    def plus(self, ticks: int) -> DateTime:
        """Move the clock by so many ticks."""
        return DateTime(self.ticks + ticks, self.kind, self.zone)

    def to_utc(self) -> DateTime:
        """Read the same moment on the UTC clock; a clock that shows UTC stays as it is."""
        return DateTime(self.ticks - ticks_of(self.offset), "Utc", self.zone)

    def to_local(self) -> DateTime:
        """Read the same moment on the clock of the PBX; a local clock stays as it is."""
        if self.kind == "Local":
            return self
        moment = self.clock.replace(tzinfo=timezone.utc)
        ahead = moment.astimezone(self.zone).utcoffset() or timedelta()
        return DateTime(self.ticks + ticks_of(ahead), "Local", self.zone)


Value = str | int | float | bool | DateTime | TimeSpan | None


def ticks_of(length: timedelta) -> int:
    """Count the ticks in a Python duration."""
    return (length.days * 86_400 + length.seconds) * TICKS_PER_SECOND + length.microseconds * 10


def type_name(value: Value) -> str:
    """Name the .NET type of a value, for messages."""
    names = {str: "String", bool: "Boolean", int: "Integer", float: "Double", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _clock_ticks(moment: datetime) -> int:
    return ticks_of(moment.replace(tzinfo=None) - _ORIGIN)
