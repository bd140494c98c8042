"""From a text to the stored form of a number, and to what a searched text may mean."""

from dataclasses import dataclass
from functools import lru_cache

from callhelm_threecx.phone import plans, text
from callhelm_threecx.phone.plans import Reading

_AFTER_DIGITS = ":"  # the character behind "9" in ASCII


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """How a number is kept.

    ``raw`` is the text as it was typed, stripped (at most 256 characters of it). ``canonical`` is
    E.164 with its plus (``+4930123456``) where the text reads as a possible number, else the digits
    alone (``2671``). ``digits`` are those of ``canonical`` without the plus: what matching
    compares. ``extension`` is ``12`` of ``+1 415 555 2671 x12``, "" when there is none.
    """

    raw: str
    canonical: str
    digits: str
    extension: str
    is_e164: bool

    @property
    def tail(self) -> str:
        """The digits reversed: one index on it answers exact and suffix matches alike."""
        return self.digits[::-1]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a searched text may mean.

    ``exact`` holds digit strings, the likeliest first and none twice: a stored number with just
    these digits matches. A stored number that is longer than ``suffix`` and ends in it matches
    too, after every exact one; ``suffix`` is "" when no number may match by its end.
    """

    exact: tuple[str, ...]
    suffix: str

    @property
    def exact_tails(self) -> tuple[str, ...]:
        """``exact``, each reversed: to be compared with ``PhoneNumber.tail``."""
        return tuple(digits[::-1] for digits in self.exact)

    @property
    def tail_range(self) -> tuple[str, str] | None:
        """Bounds ``low <= tail < high`` of the tails that begin with the reversed suffix.

        They hold for a comparison character by character, as in ASCII (a database needs its "C"
        or binary collation for that column). None when there is no suffix.
        """
        if not self.suffix:
            return None
        low = self.suffix[::-1]
        return low, low + _AFTER_DIGITS

    def rank(self, digits: str) -> int | None:
        """Return the rank of a stored number's digits, 0 for the best; None for no match.

        Numbers that match by their end share the rank behind the last exact reading.
        """
        if digits in self.exact:
            return self.exact.index(digits)
        if self.suffix and len(digits) > len(self.suffix) and digits.endswith(self.suffix):
            return len(self.exact)
        return None


@dataclass(frozen=True, slots=True)
class _Readings:
    """Everything that one spelling of a number can mean in one region.

    ``direct`` are the meanings that an explicit international prefix gives it, empty when it has
    none or one that is not to be believed; ``bare`` are the digits behind a prefix. ``home`` is
    the national reading; ``abroad`` are those as an international number.
    """

    digits: str
    bare: str
    direct: tuple[Reading, ...]
    home: Reading | None
    abroad: tuple[Reading, ...]

    @property
    def meanings(self) -> tuple[Reading, ...]:
        """The readings in the order of their likelihood, valid ones first."""
        every = ((self.home,) if self.home else ()) + self.abroad
        return self.direct or _valid_first(every)

    @property
    def sense(self) -> int:
        """How sure this spelling is: 2 by its prefix, 1 as some valid number, 0 not at all."""
        valid = any(reading.valid for reading in self.meanings)
        return valid + (valid and bool(self.direct))


def parse(typed: str, region: str) -> PhoneNumber | None:
    """Read a bounded text for keeping; see the package."""
    found = _read(typed, region)
    if found is None:
        return None
    written, readings = found
    kept = _kept(readings, written)
    digits = kept.digits if kept else readings.digits
    return PhoneNumber(
        raw=typed.strip(),
        canonical="+" + digits if kept else digits,
        digits=digits,
        extension=written.extension,
        is_e164=kept is not None,
    )


def candidates(searched: str, region: str) -> Candidates | None:
    """Read a bounded text for searching; see the package."""
    found = _read(searched, region)
    if found is None:
        return None
    _, readings = found
    exact = _with_presentations(readings.meanings)
    if readings.direct:
        return Candidates(exact, suffix="")
    exact += (readings.digits,)
    if len(readings.bare) >= plans.MIN_SUBSCRIBER:
        exact += (readings.bare,)
    return Candidates(tuple(dict.fromkeys(exact)), suffix=_suffix(readings))


@lru_cache(maxsize=1024)
def _read(typed: str, region: str) -> tuple[text.Written, _Readings] | None:
    """What is written and what it means: who looks a number up also logs it, a moment later."""
    written = text.read(typed)
    return (written, _best_spelling(written, region)) if written else None


def _best_spelling(written: text.Written, region: str) -> _Readings:
    """Read the spelling that makes the best sense, of several equally good ones the first."""
    every = [_readings(digits, written, region) for digits in written.spellings]
    if len(every) == 1:
        return every[0]
    return max(every, key=lambda readings: readings.sense)


def _kept(readings: _Readings, written: text.Written) -> Reading | None:
    if readings.direct:
        return readings.direct[0]
    if _has_plus(readings.digits, written):
        return None
    if readings.home:
        return readings.home
    return next((reading for reading in readings.abroad if reading.valid), None)


def _has_plus(digits: str, written: text.Written) -> bool:
    """Tell whether a plus is to be believed: no country code begins with 0 (``+030 123456``)."""
    return written.plus and not digits.startswith("0")


def _readings(digits: str, written: text.Written, region: str) -> _Readings:
    if _has_plus(digits, written):
        return _readings_after_plus(digits, region)
    unprefixed = _all_international((digits,))
    lost_plus = written.lost_plus and bool(unprefixed)
    rests = (digits,) if lost_plus else plans.behind_international_prefix(digits, region)
    prefixed = unprefixed if lost_plus else _all_international(rests)
    home = plans.national(digits, region)
    direct = tuple(reading for reading in prefixed if reading.valid)
    if not direct and not (home and home.valid):
        direct = prefixed
    if not lost_plus and any(reading.valid for reading in unprefixed):
        # A Russian 810 or a Cuban 119 may as well begin a foreign number without its plus.
        direct = ()
    bare = rests[0] if rests else digits
    return _Readings(digits, bare, direct, home, prefixed + unprefixed)


def _readings_after_plus(digits: str, region: str) -> _Readings:
    direct = _all_international((digits,))
    # A PBX set to Prefix="Plus" writes the plus before cut and national numbers as well.
    home = None if direct else plans.national(digits, region)
    return _Readings(digits, digits, direct, home if home and home.valid else None, ())


def _all_international(strings: tuple[str, ...]) -> tuple[Reading, ...]:
    return tuple(reading for digits in strings if (reading := plans.international(digits)))


def _valid_first(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    return tuple(sorted(readings, key=lambda reading: not reading.valid))


def _with_presentations(readings: tuple[Reading, ...]) -> tuple[str, ...]:
    digits: list[str] = []
    for reading in readings:
        digits += (reading.digits, *plans.other_presentations(reading.digits))
    return tuple(dict.fromkeys(digits))


def _suffix(readings: _Readings) -> str:
    for digits in (readings.bare, readings.digits):
        if len(digits) >= plans.MIN_SUBSCRIBER:
            return digits
    return ""
