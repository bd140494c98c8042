"""How long events are kept: an age for each type, written as ``365d,lookup=30d,setup=forever``."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

FOREVER: Final = "forever"
EVERY_TYPE: Final = ""
"""In place of a type: every type that has no age of its own."""

LONGEST_DAYS: Final = 36_500

_AGE: Final = re.compile(r"(\d{1,5})([dw])", re.ASCII)
_TYPE: Final = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_NEVER: Final = datetime(1, 1, 2, tzinfo=timezone.utc)

Ages = Mapping[str, "timedelta | None"]
"""By type, or `EVERY_TYPE`; None is for ever."""


def parse_age(text: str) -> timedelta | None:
    """An age of whole days or weeks (``90d``, ``4w``), or None for ``forever``.

    Raises `ValueError` with a plain sentence.
    """
    text = text.strip().lower()
    if text == FOREVER:
        return None
    found = _AGE.fullmatch(text)
    days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    if not 1 <= days <= LONGEST_DAYS:
        raise ValueError(f"{text!r} is no age such as 90d, 12w or {FOREVER}")
    return timedelta(days=days)


def age_text(age: timedelta | None) -> str:
    """An age as `parse_age` reads it."""
    return FOREVER if age is None else f"{age.days}d"


@dataclass(frozen=True, slots=True)
class Retention:
    """The age at which events of each type go: ``rest`` for those not named in ``types``."""

    rest: timedelta | None
    types: tuple[tuple[str, timedelta | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Retention":
        """Read a setting: comma-separated, one age for every type and ``type=age`` for others.

        Without an age for every type, what is not named is kept for ever. Raises `ValueError` with
        a plain sentence.
        """
        ages: dict[str, timedelta | None] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            name, is_named, age = part.rpartition("=")
            name = name.strip()
            if is_named and not _TYPE.fullmatch(name):
                raise ValueError(f"{name!r} is no type of event")
            if name in ages:
                raise ValueError(f"says {name or 'an age for every type'} twice")
            ages[name] = parse_age(age)
        return cls(None).overlaid(ages)

    def overlaid(self, own: Ages) -> "Retention":
        """With ages of somebody's own, which come before these: an age for every type replaces all
        of these, another one its type's."""
        if EVERY_TYPE in own:
            named = {name: age for name, age in own.items() if name != EVERY_TYPE}
            return Retention(own[EVERY_TYPE], tuple(sorted(named.items())))
        return Retention(self.rest, tuple(sorted({**dict(self.types), **own}.items())))

    def age(self, event_type: str) -> timedelta | None:
        """How long events of a type are kept; None is for ever."""
        return dict(self.types).get(event_type, self.rest)

    def before(self, event_type: str, now: datetime) -> datetime:
        """Events of the type from before this instant have lived their time."""
        age = self.age(event_type)
        if age is None or age > now - _NEVER:
            return _NEVER
        return now - age

    def unknown(self, known: Iterable[str]) -> list[str]:
        """The named types that are none of those."""
        return sorted({name for name, _ in self.types}.difference(known))

    def __str__(self) -> str:
        """As `parse` reads it."""
        named = (f"{name}={age_text(age)}" for name, age in self.types)
        return ",".join((age_text(self.rest), *named))
